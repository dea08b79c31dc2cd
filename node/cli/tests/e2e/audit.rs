// SPDX-License-Identifier: Apache-2.0
//! The draws of audits, recomputed from the blocks of a real chain.

use crate::{cli::assay, network::dev};
use std::collections::BTreeSet;

#[tokio::test]
async fn chain_tells_the_truth_about_an_audit() {
    let node = dev(&[]).await;
    let job = assay(&node, &["run", "--json", "--max-tokens", "8", "In the beginning"]).await.ok();
    let id = job["job"].as_str().unwrap();
    let audit = assay(&node, &["job", "audit", id, "--json"]).await.ok();
    assert_eq!(audit["truthful"], true, "{audit}");
    assert_eq!(audit["over"], true, "{audit}");
    let findings = audit["findings"].as_array().unwrap();
    let topics: BTreeSet<&str> =
        findings.iter().map(|finding| finding["topic"].as_str().unwrap()).collect();
    for topic in ["span", "output", "audit", "seed", "committee", "second look", "job"] {
        assert!(topics.contains(topic), "{topic} is not in {audit}");
    }
    let said = assay(&node, &["job", "audit", id]).await;
    assert_eq!(said.code, 0, "{said:?}");
    let last = said.out.lines().last().unwrap();
    assert_eq!(last, "The chain told the truth about this audit.", "{said:?}");
}

#[tokio::test]
async fn audit_of_a_job_without_a_delivery_says_what_is_missing() {
    let node = dev(&[]).await;
    let unknown = format!("0x{}", "ab".repeat(32));
    let said = assay(&node, &["job", "audit", &unknown, "--json"]).await;
    said.fails("job_forgotten", &["--at", "--state-pruning archive"]);
    let args = ["job", "create", "--json", "--not-before", "1000", "In the beginning"];
    let job = assay(&node, &args).await.ok();
    let said = assay(&node, &["job", "audit", job["job"].as_str().unwrap(), "--json"]).await;
    said.fails("job_not_delivered", &["open"]);
}
