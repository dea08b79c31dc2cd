// SPDX-License-Identifier: Apache-2.0
//! A node that is lost in the middle of an audit, and restored from its backup.

use crate::{
    cli::assay,
    network::{start, Topology},
    node::Node,
    root::{as_root, settings},
    spec::{NodeSpec, OTHERS},
    wait::wait_for,
};
use assay_cli::chain::{state::bytes_of, Head};
use assay_primitives::{JobId, Report};
use assay_runtime::{
    parameters::{dynamic_params::verification, RuntimeParameters},
    Hash, RuntimeCall, RuntimeEvent, UncheckedExtrinsic,
};
use codec::Decode;
use jsonrpsee::rpc_params;
use pallet_verification::Event;
use sp_keyring::Sr25519Keyring;
use std::{os::unix::fs::PermissionsExt, time::Duration};

/// The longest that a job may take to be audited.
const AUDIT: Duration = Duration::from_secs(180);
/// The blocks for commits and for reveals. The nodes of the test share two cores, and the lost one starts
/// anew.
const WINDOW: u32 = 200;

#[tokio::test]
async fn verifier_that_is_restored_from_its_backup_in_an_audit_is_not_fined() {
    let specs = [
        NodeSpec::validator("Alice"),
        NodeSpec::operators(&["Alice"]),
        NodeSpec::operators(&OTHERS),
    ];
    let [validator, operators, mut verifier] = start(Topology::Full, specs).await;
    let status = assay(&verifier, &["node", "status", "--json"]).await.ok();
    assert_eq!(status["store"]["healthy"], true, "{status}");
    set_windows(&validator).await;
    let backup = verifier.back_up();

    // All but the job's operator are on the node that is lost, and so is the committee.
    let operator = Sr25519Keyring::Alice.to_account_id().to_string();
    let args = ["job", "create", "--json", "--max-tokens", "16", "--operator", &operator];
    let created = assay(&operators, &[&args[..], &["In the beginning"]].concat()).await.ok();
    let id = created["job"].as_str().unwrap();
    let job: JobId = id.parse().unwrap();
    // Lost while a commitment is on the way, so that nobody has revealed.
    wait_for("a verifier has sent its commitment", AUDIT, async || {
        commitment_is_pending(&validator, job).await
    })
    .await;
    verifier.lose();
    wait_for("a commitment is on the chain", AUDIT, async || {
        let committed = |event: &Event<_>| matches!(event, Event::VerdictCommitted { job: of, .. } if *of == job);
        count(&validator, committed).await > 0
    })
    .await;
    let revealed =
        |event: &Event<_>| matches!(event, Event::VerdictRevealed { job: of, .. } if *of == job);
    assert_eq!(count(&validator, revealed).await, 0, "it was lost too late for this test");

    verifier.restore(&backup).await;
    let job = assay(&operators, &["job", "status", id, "--wait", "--json"]).await.accepted();
    assert_eq!(count(&validator, revealed).await, job["verifiers"].as_u64().unwrap() as usize);
    let slashed = |event: &Event<_>| matches!(event, Event::VerifierSlashed { .. });
    assert_eq!(count(&validator, slashed).await, 0);
}

#[tokio::test]
async fn secret_that_others_can_read_stops_the_node() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, [7; 32]).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let path = path.to_str().unwrap();
    let log = Node::refused(NodeSpec::dev().with(&["--worker-secret", path])).await;
    assert!(log.contains(&format!("chmod 600 {path}")), "{log}");
}

/// Gives verifiers of the chain more time to commit and to reveal, as root.
async fn set_windows(node: &Node) {
    let commit = verification::Parameters::CommitWindow(verification::CommitWindow, Some(WINDOW));
    let reveal = verification::Parameters::RevealWindow(verification::RevealWindow, Some(WINDOW));
    let changes = [commit, reveal].map(RuntimeParameters::Verification);
    as_root(node, vec![settings(changes.into())]).await;
}

/// Returns whether the node's pool has a commitment to a verdict on the job.
async fn commitment_is_pending(node: &Node, job: JobId) -> bool {
    let pending: Vec<String> =
        node.chain().await.request("author_pendingExtrinsics", rpc_params![]).await.unwrap();
    pending.iter().any(|extrinsic| {
        let bytes = bytes_of(extrinsic).unwrap();
        let extrinsic = UncheckedExtrinsic::decode(&mut bytes.as_slice()).unwrap();
        let RuntimeCall::Operators(pallet_operators::Call::report { reports }) =
            &extrinsic.function
        else {
            return false;
        };
        let commits =
            |report: &Report| matches!(report, Report::CommitVerdict { job: of, .. } if *of == job);
        reports.iter().any(commits)
    })
}

/// Counts events of audits in all blocks so far.
async fn count(node: &Node, counts: impl Fn(&Event<assay_runtime::Runtime>) -> bool) -> usize {
    let chain = node.chain().await;
    let best: Head = chain.request("chain_getHeader", rpc_params![]).await.unwrap();
    let mut count = 0;
    for number in 1..=best.number {
        let hash: Hash = chain.request("chain_getBlockHash", rpc_params![number]).await.unwrap();
        let events = chain.events(hash).await.unwrap();
        let counted = |event: &RuntimeEvent| matches!(event, RuntimeEvent::Verification(event) if counts(event));
        count += events.iter().filter(|record| counted(&record.event)).count();
    }
    count
}
