// SPDX-License-Identifier: Apache-2.0
//! A job as it should go.

use crate::{
    books::{fees, Books},
    cli::{assay, planck},
    network::dev,
};
use assay_runtime::{presets::DEVELOPMENT_OPERATORS, Balance};
use sp_keyring::Sr25519Keyring;

#[tokio::test]
async fn honest_job_is_accepted_and_paid() {
    let node = dev(&[]).await;
    let before = Books::read(&node).await;

    let prompt = "In the beginning";
    let job = assay(&node, &["run", "--json", "--max-tokens", "24", prompt]).await.accepted();
    assert_eq!(job["verified"], true, "{job}");
    assert_eq!(job["outcome"], "paid", "{job}");
    assert_eq!(job["slashed"], "0", "{job}");
    let (paid, refunded) = (planck(&job, "paid"), planck(&job, "refunded"));
    assert!(paid > 0, "{job}");
    assert_eq!(paid + refunded, planck(&job, "held"), "{job}");

    let after = Books::read(&node).await;
    let fees = fees(&node, before.number, after.number).await;
    // The client has paid for the tokens and for its extrinsic, and has nothing on hold any more.
    let client = Sr25519Keyring::Ferdie.to_account_id();
    assert_eq!(before.total(&client) - after.total(&client), paid + fees[&client]);
    assert_eq!(after.reserved(&client), 0);
    // Operator and committee share what was paid, less what goes to the fund; the operator gets the most
    // of it. The fund is empty until then, so a second look pays its jurors nothing.
    let gain = |who: &Sr25519Keyring| {
        let who = who.to_account_id();
        after.total(&who) - before.total(&who)
    };
    let gains: Balance = DEVELOPMENT_OPERATORS.iter().map(gain).sum();
    let (burnt, fund) = (planck(&job, "burnt"), planck(&job, "fund"));
    assert!(fund > 0, "{job}");
    assert_eq!(gains, paid - burnt - fund);
    let operator = DEVELOPMENT_OPERATORS
        .iter()
        .find(|who| job["operator"] == who.to_account_id().to_string())
        .unwrap();
    let verifiers = DEVELOPMENT_OPERATORS.iter().filter(|who| *who != operator);
    let verified: Vec<Balance> = verifiers.map(gain).filter(|gain| *gain > 0).collect();
    assert!(
        verified.len() == 3 && verified.iter().all(|gain| *gain == verified[0]),
        "{verified:?}"
    );
    assert_eq!(gain(operator), paid - burnt - fund - verified.iter().sum::<Balance>());
    assert!(gain(operator) > paid / 2);
    // Fees are burnt; no other money comes or goes.
    assert_eq!(before.issuance - after.issuance, fees.values().sum::<Balance>() + burnt);

    // The node keeps the same output that the command printed, and streams it to a person.
    let output = node.chain().await.output(&job["job"].as_str().unwrap().parse().unwrap()).await;
    let output = output.unwrap().expect("the node has the output");
    assert_eq!(job["output"], output.text);
    assert_eq!(job["tokens"], output.tokens.len());
    assert_eq!(job["tokenIds"], serde_json::json!(output.tokens));
    assert_eq!(job["finish"].as_str(), output.finish.as_deref());
    let id = job["job"].as_str().unwrap();
    let streamed = assay(&node, &["job", "status", id, "--wait"]).await;
    assert_eq!(streamed.code, 0, "{streamed:?}");
    let verdict = format!("Verdict   Accept by {} verifiers\n", job["verifiers"]);
    assert!(streamed.out.starts_with(&format!("{}\n\n{verdict}", output.text)), "{streamed:?}");
}

#[tokio::test]
async fn streamed_text_is_the_output() {
    let node = dev(&[]).await;
    let args = ["run", "--max-tokens", "16", "--temperature", "0.8", "--seed", "7", "And God said"];
    let said = assay(&node, &args).await;
    assert_eq!(said.code, 0, "{said:?}");
    let jobs = assay(&node, &["job", "list", "--json"]).await.ok();
    let id = jobs["jobs"][0]["job"].as_str().unwrap();
    assert!(said.out.contains(id), "{said:?}");
    let job = assay(&node, &["job", "status", id, "--output", "--json"]).await.ok();
    let text = job["output"].as_str().unwrap();
    assert!(!text.is_empty(), "{job}");
    assert!(said.out.starts_with(&format!("{text}\n\nVerdict ")), "{said:?} is not {text:?}");
    // Text that comes with the end of a verified job alone has no such label.
    assert_eq!(said.err.matches("Unverified text").count(), 1, "it was not streamed: {said:?}");
    assert_eq!(job["seed"], 7, "{job}");
}
