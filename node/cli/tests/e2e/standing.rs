// SPDX-License-Identifier: Apache-2.0
//! Committed is not verified: jobs that nobody audits.

use crate::{
    cli::{assay, Said},
    network::dev,
    node::Node,
    root::as_root,
};
use assay_runtime::{
    parameters::{dynamic_params::verification, RuntimeParametersKey, RuntimeParametersValue},
    presets::DEVELOPMENT_OPERATORS,
    Runtime, RuntimeCall,
};
use codec::Encode;
use sp_runtime::Permill;

/// The number of jobs of which at least one is not audited: each is audited with a chance of a tenth.
const JOBS: usize = 6;

/// Gives the operators a record so long that only a tenth of their jobs is audited, and the chain, which
/// otherwise audits every job, a floor that low. As parameters go together, no call does that.
pub async fn lengthen_records(node: &Node) {
    let record = |who: &sp_keyring::Sr25519Keyring| {
        let key = pallet_verification::Records::<Runtime>::hashed_key_for(who.to_account_id());
        (key, (1_000_000 * pallet_verification::WHOLE).encode())
    };
    let key = verification::ParametersKey::AuditFloor(verification::AuditFloor);
    let key = RuntimeParametersKey::Verification(key);
    let value = verification::ParametersValue::AuditFloor(Permill::from_percent(10));
    let value = RuntimeParametersValue::Verification(value).encode();
    let floor = (pallet_parameters::Parameters::<Runtime>::hashed_key_for(key), value);
    set_storage(node, DEVELOPMENT_OPERATORS.iter().map(record).chain([floor]).collect()).await;
}

/// Sets entries of the state as root.
pub async fn set_storage(node: &Node, items: Vec<(Vec<u8>, Vec<u8>)>) {
    let call = RuntimeCall::System(frame_system::Call::set_storage { items });
    as_root(node, vec![call]).await;
}

/// Runs jobs until one is not audited.
async fn unaudited(node: &Node, args: &[&str]) -> Said {
    for _ in 0..JOBS {
        let said = assay(node, args).await;
        let job = said.json();
        match job["verdict"].as_str() {
            Some("none") => return said,
            Some("accept") => {
                assert_eq!((said.code, &job["verified"]), (0, &true.into()), "{said:?}")
            }
            _ => panic!("{said:?}"),
        }
    }
    panic!("all of {JOBS} jobs were audited");
}

#[tokio::test]
async fn unaudited_job_is_committed_and_not_verified() {
    let node = dev(&[]).await;
    lengthen_records(&node).await;
    let run = ["run", "--json", "--max-tokens", "8", "In the beginning"];
    let said = unaudited(&node, &run).await;
    assert_eq!(said.code, 4, "{said:?}");
    let job = said.json();
    assert_eq!((&job["committed"], &job["verified"]), (&true.into(), &false.into()), "{job}");
    assert_eq!(job["textMatches"], true, "{job}");
    assert_eq!(job["outcome"], "paid", "{job}");

    let id = job["job"].as_str().unwrap();
    let status = ["job", "status", id, "--wait"];
    let said = assay(&node, &status).await;
    assert_eq!(said.code, 4, "{said:?}");
    assert!(said.out.contains("committed, not verified"), "{said:?}");
    assert!(said.err.contains("Unverified text"), "{said:?}");
    let said = assay(&node, &[&status[..], &["--accept-unaudited", "--json"]].concat()).await;
    assert_eq!(said.ok()["verified"], false, "{said:?}");

    // The same text can be compared by the file of the model, and not by that of another.
    let tiny = "../engine/models/tiny.gguf";
    let output = ["job", "status", id, "--output", "--json", "--model-file"];
    let job = assay(&node, &[&output[..], &[tiny]].concat()).await.ok();
    assert_eq!(job["textMatches"], true, "{job}");
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.gguf");
    std::fs::write(&other, assay_engine::synthetic::Synthetic::default().file().unwrap()).unwrap();
    let said = assay(&node, &[&output[..], &[other.to_str().unwrap()]].concat()).await;
    said.fails("other_model", &["--model-file"]);
}
