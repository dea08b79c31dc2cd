// SPDX-License-Identifier: Apache-2.0
//! Outputs that nobody audits and somebody challenges, and audits that a client orders, with real engines.

use crate::{
    books::{fees, Books},
    cli::{assay, planck},
    network::dev,
    node::Node,
    standing::{lengthen_records, set_storage},
    wait::{wait_for, START},
};
use assay_runtime::{
    parameters::{dynamic_params::jobs, RuntimeParametersKey, RuntimeParametersValue},
    presets::DEVELOPMENT_OPERATORS,
    Runtime,
};
use codec::Encode;
use serde_json::Value;
use sp_keyring::Sr25519Keyring;

/// The number of jobs of which at least one is not audited: each is audited with a chance of a tenth.
const JOBS: usize = 6;

/// The blocks in which an output can be challenged, after which its jury is drawn: more than the five of
/// development chains, so that the test is not too late.
const WINDOW: u32 = 30;

/// Starts a chain on which most outputs are not audited and can be challenged for a time.
async fn chain(options: &[&str]) -> Node {
    let node = dev(options).await;
    lengthen_records(&node).await;
    let key =
        RuntimeParametersKey::Jobs(jobs::ParametersKey::ChallengeWindow(jobs::ChallengeWindow));
    let value = jobs::ParametersValue::ChallengeWindow(WINDOW);
    let value = RuntimeParametersValue::Jobs(value).encode();
    let key = pallet_parameters::Parameters::<Runtime>::hashed_key_for(key);
    set_storage(&node, vec![(key, value)]).await;
    node
}

/// Orders jobs until one is delivered and not drawn for an audit, and returns it.
async fn unaudited(node: &Node) -> Value {
    for _ in 0..JOBS {
        let args = ["job", "create", "--json", "--max-tokens", "8", "In the beginning"];
        let job = assay(node, &args).await.ok();
        let id = job["job"].as_str().unwrap().to_owned();
        let mut now = Value::Null;
        wait_for("the draw of an audit is over", START, async || {
            now = assay(node, &["job", "status", &id, "--json"]).await.ok();
            let is_over = now["audit"] == false || now["state"] == "settled";
            is_over || now["committee"].as_array().is_some_and(|members| !members.is_empty())
        })
        .await;
        if now["state"] == "delivered" && now["audit"] == false {
            return now;
        }
        // Its verifiers are paid before the next one begins.
        settled(node, &id).await;
    }
    panic!("all of {JOBS} jobs were audited");
}

/// Waits until the job is settled, and returns it.
async fn settled(node: &Node, id: &str) -> Value {
    assay(node, &["job", "status", id, "--wait", "--json"]).await.json()
}

#[tokio::test]
async fn wrong_output_that_an_operator_challenges_is_rejected_and_the_challenger_rewarded() {
    let node = chain(&["--dev-fault", "wrong-token"]).await;
    let job = unaudited(&node).await;
    let id = job["job"].as_str().unwrap();
    let finder = [Sr25519Keyring::Alice, Sr25519Keyring::Bob]
        .into_iter()
        .find(|who| job["operator"] != who.to_account_id().to_string())
        .unwrap();
    assert!(DEVELOPMENT_OPERATORS.contains(&finder));
    let before = Books::read(&node).await;
    let key = finder.to_seed();
    let said = assay(&node, &["job", "challenge", id, "--json", "--suri", &key]).await;
    let challenged = said.ok();
    assert!(said.err.contains("A bond of 1 ASY is reserved of your stake"), "{said:?}");
    let account = finder.to_account_id();
    assert_eq!(challenged["challenger"], account.to_string(), "{challenged}");
    let again = assay(&node, &["job", "claim", id, "--json"]).await;
    again.fails("verification.AuditOpen", &["challenges the output already"]);

    let job = settled(&node, id).await;
    assert_eq!((&job["outcome"], &job["verdict"]), (&"slashed".into(), &"reject".into()), "{job}");
    assert_eq!(job["challenge"]["result"], "right", "{job}");
    let reward: u128 = job["challenge"]["reward"].as_str().unwrap().parse().unwrap();
    assert!(reward > 0, "{job}");
    let after = Books::read(&node).await;
    let fees = fees(&node, before.number, after.number).await;
    let paid = fees.get(&account).copied().unwrap_or_default();
    assert_eq!(after.total(&account) + paid, before.total(&account) + reward, "{job}");
    let audit = assay(&node, &["job", "audit", id, "--json"]).await.ok();
    assert_eq!((&audit["truthful"], &audit["over"]), (&true.into(), &true.into()), "{audit}");
    let topics = audit["findings"].as_array().unwrap().iter().map(|it| it["topic"].clone());
    assert!(topics.clone().any(|topic| topic == "jury"), "{audit}");
    let shown = assay(&node, &["job", "status", id]).await;
    assert!(shown.out.contains("the jury found the output wrong"), "{shown:?}");
}

#[tokio::test]
async fn right_output_that_its_client_challenges_is_accepted_and_the_bond_lost() {
    let node = chain(&[]).await;
    let job = unaudited(&node).await;
    let id = job["job"].as_str().unwrap();
    let bond = planck(&job, "challengeBond");
    let shown = assay(&node, &["job", "status", id]).await;
    assert!(shown.out.contains("open until block"), "{shown:?}");
    let before = Books::read(&node).await;
    let said = assay(&node, &["job", "challenge", id, "--json"]).await;
    said.ok();
    assert!(said.err.contains("on hold from your balance"), "{said:?}");

    let job = settled(&node, id).await;
    assert_eq!((&job["outcome"], &job["verdict"]), (&"paid".into(), &"accept".into()), "{job}");
    assert_eq!(job["challenge"]["result"], "wrong", "{job}");
    assert_eq!(job["verified"], true, "{job}");
    let after = Books::read(&node).await;
    let fees = fees(&node, before.number, after.number).await;
    let client = Sr25519Keyring::Ferdie.to_account_id();
    let lost = bond + planck(&job, "paid") + fees[&client];
    assert_eq!(before.total(&client), after.total(&client) + lost, "{job}");
    assert_eq!(after.reserved(&client), 0);
    let audit = assay(&node, &["job", "audit", id, "--json"]).await.ok();
    assert_eq!(audit["truthful"], true, "{audit}");

    // An audit that is ordered needs no ticket, and costs what was said.
    for _ in 0..2 {
        let args = ["run", "--json", "--audit", "--max-tokens", "8", "In the beginning"];
        let said = assay(&node, &args).await;
        let job = said.accepted();
        assert!(said.err.contains("The audit costs at most"), "{said:?}");
        let fees = planck(&job, "auditFees");
        assert!(fees > 0 && fees <= planck(&job, "auditFeesHeld"), "{job}");
        let id = job["job"].as_str().unwrap();
        let audit = assay(&node, &["job", "audit", id, "--json"]).await.ok();
        assert_eq!(audit["truthful"], true, "{audit}");
    }
}
