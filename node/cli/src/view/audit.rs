// SPDX-License-Identifier: Apache-2.0
//! The findings about a job's audit.

use crate::{
    audit::finding::{Agreement, Finding},
    out::{Cell, Row},
};
use assay_primitives::JobId;
use serde_json::{json, Map, Value};

/// Returns the findings as rows for a person.
pub fn rows(findings: &[Finding]) -> Vec<Row> {
    findings.iter().map(|finding| (finding.topic.label(), words(finding))).collect()
}

fn words(finding: &Finding) -> Cell {
    let Finding { block, computed, recorded, agreement, .. } = finding;
    let start = format!("block {block}: {computed}");
    let recorded = recorded.as_deref().unwrap_or("nothing");
    match agreement {
        Agreement::Agrees => Cell::good(format!("{start} (recorded: {recorded}; agrees)")),
        Agreement::Differs => Cell::bad(format!("{start} (recorded: {recorded}; DIFFERS)")),
        Agreement::Unclear => Cell::bad(format!("{start} (recorded: {recorded}; unclear)")),
        Agreement::NotRecorded => format!("{start} (not recorded)").into(),
    }
}

/// Returns whether the chain told the truth, in words.
pub fn verdict(truth: Option<bool>) -> &'static str {
    match truth {
        Some(true) => "The chain told the truth about this audit.",
        Some(false) => "The chain did not tell the truth about this audit.",
        None => "It is unclear whether the chain told the truth about this audit.",
    }
}

/// Returns the findings as JSON. `waits` says whether draws are to come.
pub fn json(
    id: &JobId,
    findings: &[Finding],
    waits: bool,
    truth: Option<bool>,
) -> Map<String, Value> {
    let agrees = |agreement| match agreement {
        Agreement::Agrees => Some(true),
        Agreement::Differs => Some(false),
        Agreement::Unclear | Agreement::NotRecorded => None,
    };
    let findings: Vec<Value> = findings
        .iter()
        .map(|finding| {
            json!({
                "block": finding.block,
                "topic": finding.topic.label(),
                "computed": finding.computed,
                "recorded": finding.recorded,
                "agrees": agrees(finding.agreement),
            })
        })
        .collect();
    let mut object = Map::new();
    object.insert("job".into(), json!(id));
    object.insert("findings".into(), findings.into());
    object.insert("over".into(), json!(!waits));
    object.insert("truthful".into(), json!(truth));
    object
}
