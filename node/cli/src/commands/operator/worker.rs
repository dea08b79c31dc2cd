// SPDX-License-Identifier: Apache-2.0
//! The worker key of an operator, by default the node's, and its replacement.

use crate::{
    account::AccountArg, amount::Amount, chain::state::usable, fault::Fault, out, session::Session,
};
use anyhow::{anyhow, Result};
use assay_primitives::{Balance, JobId, Report, Verdict};
use assay_rpc::WorkerKey;
use assay_runtime::{AccountId, Runtime, RuntimeCall};
use sp_core::{crypto::Ss58Codec, H256};
use sp_runtime::BoundedVec;

type Call = pallet_operators::Call<Runtime>;
type Batch = pallet_utility::Call<Runtime>;

/// Returns the worker that is named, or the account of the node's only worker key.
pub async fn named_or_own(session: &Session, named: Option<AccountArg>) -> Result<AccountId> {
    if let Some(worker) = named {
        return worker.resolve(&session.chain).await;
    }
    only_worker(&session.chain.node_status().await?.workers)
}

/// Fails if the worker's account cannot pay the fee of a report. Notes it instead, where `may_lack` says
/// so.
pub async fn ensure_funded(session: &Session, worker: &AccountId, may_lack: bool) -> Result<()> {
    let chain = &session.chain;
    let funds = usable(&chain.account(worker).await?);
    // The fee depends on the length of a signature, and not on the key.
    let signed = chain.sign(&session.signer()?, 0, costliest_report()).await?;
    match lack_of_funds(worker, funds, chain.fee(&signed.bytes).await?) {
        None => Ok(()),
        Some(lack) if may_lack => {
            out::note(&format!("warning: {lack}"));
            Ok(())
        }
        Some(lack) => Err(Fault::error(
            "worker_unfunded",
            format!("{lack}, or add --unfunded to set the key before"),
        )),
    }
}

/// Returns the call with the one report that has the highest fee.
fn costliest_report() -> RuntimeCall {
    let verdict = Verdict::Accept { digest_root: H256::zero() };
    let report = Report::RevealVerdict { job: JobId::zero(), verdict, salt: H256::zero() };
    Call::report { reports: BoundedVec::truncate_from(vec![report]) }.into()
}

/// Returns the message that tells that the funds are smaller than the fee, if they are.
fn lack_of_funds(worker: &AccountId, funds: Balance, fee: Balance) -> Option<String> {
    (funds < fee).then(|| {
        format!(
            "the worker's account {worker} can spend {}, but a report needs {} for the fee; send it funds \
             first (`assay transfer {worker} 10`)",
            Amount(funds),
            Amount(fee),
        )
    })
}

/// Returns the call that replaces the worker and ends what the previous one can still report on. The
/// second step fails where no duty is open, since nothing is to be ended then; the first must not fail.
pub fn replace_and_revoke(worker: AccountId) -> RuntimeCall {
    let retire = Batch::force_batch { calls: vec![Call::retire_worker {}.into()] };
    Batch::batch_all { calls: vec![Call::set_worker { worker }.into(), retire.into()] }.into()
}

/// Returns the account of the only worker key.
fn only_worker(keys: &[WorkerKey]) -> Result<AccountId> {
    match keys {
        [one] => AccountId::from_ss58check(&one.key)
            .map_err(|error| anyhow!("the node's worker key '{}' is malformed: {error}", one.key)),
        [] => Err(Fault::error(
            "no_worker_key",
            "the node has no worker key; name the account of one, and insert the key into the \
             node's keystore with `assay-node key insert`",
        )),
        _ => Err(Fault::error(
            "worker_ambiguous",
            format!(
                "the node has several worker keys; name one of {}",
                keys.iter().map(|key| key.key.as_str()).collect::<Vec<_>>().join(", ")
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::traits::{Duty, Operators as _};
    use assay_runtime::{
        BalancesConfig, Operators, OperatorsConfig, RuntimeGenesisConfig, RuntimeOrigin, UNIT,
    };
    use sp_keyring::Sr25519Keyring;
    use sp_runtime::{traits::Dispatchable, BuildStorage};

    fn keys(of: &[Sr25519Keyring]) -> Vec<WorkerKey> {
        of.iter()
            .map(|key| WorkerKey { key: key.to_account_id().to_ss58check(), stash: None })
            .collect()
    }

    #[test]
    fn worker_that_cannot_pay_the_fee_is_named_with_the_remedy() {
        let worker = Sr25519Keyring::Alice.to_account_id();
        assert_eq!(lack_of_funds(&worker, 5, 5), None);
        let lack = lack_of_funds(&worker, 4, 5).unwrap();
        assert!(lack.contains(&format!("assay transfer {worker} 10")), "{lack}");
    }

    /// Runs the test on a chain where Alice is an operator with Bob's key as its worker.
    fn with_operator(test: impl FnOnce([AccountId; 3])) {
        let [alice, bob, charlie] =
            [Sr25519Keyring::Alice, Sr25519Keyring::Bob, Sr25519Keyring::Charlie]
                .map(|key| key.to_account_id());
        let bond = 1_000 * UNIT;
        let genesis = RuntimeGenesisConfig {
            balances: BalancesConfig {
                balances: vec![(alice.clone(), 2 * bond)],
                ..Default::default()
            },
            operators: OperatorsConfig {
                operators: vec![(alice.clone(), bob.clone(), vec![], 1, bond)],
                ..Default::default()
            },
            ..Default::default()
        };
        sp_io::TestExternalities::new(genesis.build_storage().unwrap())
            .execute_with(|| test([alice, bob, charlie]));
    }

    #[test]
    fn worker_is_replaced_and_revoked_whether_or_not_duties_are_open() {
        for duties in [0, 1] {
            with_operator(|[stash, old, new]| {
                for _ in 0..duties {
                    Operators::reserve(&stash, Duty::Run(JobId::zero()), 1).unwrap();
                }
                let origin = RuntimeOrigin::signed(stash.clone());
                replace_and_revoke(new.clone()).dispatch(origin).unwrap();
                assert_eq!(Operators::stash_of(&old), None, "{duties} duties");
                assert_eq!(Operators::stash_of(&new), Some(stash));
            });
        }
    }

    #[test]
    fn worker_that_cannot_be_set_revokes_nothing() {
        with_operator(|[stash, old, new]| {
            Operators::reserve(&stash, Duty::Run(JobId::zero()), 1).unwrap();
            let origin = || RuntimeOrigin::signed(stash.clone());
            Operators::set_worker(origin(), new.clone()).unwrap();
            let error = replace_and_revoke(old.clone()).dispatch(origin()).unwrap_err().error;
            assert_eq!(error, pallet_operators::Error::<Runtime>::WorkerRetiring.into());
            assert_eq!(Operators::stash_of(&old), Some(stash.clone()));
        });
    }

    #[test]
    fn only_worker_is_taken_and_several_are_listed() {
        use Sr25519Keyring::{Alice, Bob};
        assert_eq!(only_worker(&keys(&[Alice])).unwrap(), Alice.to_account_id());
        let code = |of: &[Sr25519Keyring]| {
            let fault: Fault = only_worker(&keys(of)).unwrap_err().downcast().unwrap();
            (fault.code, fault.message)
        };
        assert_eq!(code(&[]).0, "no_worker_key");
        let (several, message) = code(&[Alice, Bob]);
        assert_eq!(several, "worker_ambiguous");
        assert!(message.contains(&Bob.to_account_id().to_ss58check()), "{message}");
    }
}
