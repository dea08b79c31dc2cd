// SPDX-License-Identifier: Apache-2.0
//! Calls as root on a development chain, where Alice has the sudo key.

use crate::node::Node;
use assay_cli::{
    key::{Key, Scheme},
    submit::submit,
};
use assay_runtime::{
    parameters::{dynamic_params::operators, RuntimeParameters},
    RuntimeCall, RuntimeEvent,
};
use frame_system::RawOrigin;
use sp_keyring::Sr25519Keyring;

/// Makes all calls in one extrinsic, and asserts that each succeeds.
pub async fn as_root(node: &Node, calls: Vec<RuntimeCall>) {
    let call = RuntimeCall::from(pallet_utility::Call::batch_all { calls });
    let call = RuntimeCall::from(pallet_sudo::Call::sudo { call: Box::new(call) });
    let alice = Key::from_suri(Scheme::Sr25519, "//Alice").unwrap();
    let done = submit(&node.chain().await, &alice, call, None, async |_| Ok(())).await.unwrap();
    let succeeds = |event: &RuntimeEvent| {
        matches!(event, RuntimeEvent::Sudo(pallet_sudo::Event::Sudid { sudo_result: Ok(()) }))
    };
    assert!(done.events.iter().any(succeeds), "{:?}", done.events);
}

/// Returns the call that changes parameters.
pub fn settings(mut changes: Vec<RuntimeParameters>) -> RuntimeCall {
    // Stake must stay for longer than the longest audit, so it stays for the default time.
    let unbonding = operators::Parameters::UnbondingPeriod(operators::UnbondingPeriod, None);
    changes.push(RuntimeParameters::Operators(unbonding));
    let changes = changes.try_into().expect("there are few");
    RuntimeCall::from(pallet_settings::Call::set { changes })
}

/// Returns the calls by which operators take no new duties, or take them again.
pub fn drain(
    operators: impl IntoIterator<Item = Sr25519Keyring>,
    draining: bool,
) -> Vec<RuntimeCall> {
    let call = |operator: Sr25519Keyring| {
        let origin = RawOrigin::Signed(operator.to_account_id());
        let call = RuntimeCall::from(pallet_operators::Call::set_draining { draining });
        let (as_origin, call) = (Box::new(origin.into()), Box::new(call));
        RuntimeCall::from(pallet_utility::Call::dispatch_as_fallible { as_origin, call })
    };
    operators.into_iter().map(call).collect()
}
