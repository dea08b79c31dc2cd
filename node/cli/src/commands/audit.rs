// SPDX-License-Identifier: Apache-2.0
//! `assay job audit`.

use crate::{
    audit::{
        finding::{self, Agreement, Finding},
        gather,
        recompute::recompute,
    },
    exit::{note_error, Exit},
    fault::{Fault, OfJob},
    out,
    progress::Progress,
    session::Session,
    view,
};
use anyhow::{Context, Result};
use assay_primitives::{BlockNumber, JobId, JobState};
use serde_json::Value;

/// Recomputes the draws of a job's audit, and shows each value beside the chain's record.
pub async fn audit(session: &Session, id: &JobId, at: Option<BlockNumber>) -> Result<Exit> {
    let progress = Progress::new("reading blocks");
    let found = findings(session, id, at).await.context(OfJob(*id));
    progress.clear();
    let (findings, waits) = found?;
    let truth = truth(&findings);
    let exit = match truth {
        Some(true) => Exit::Done,
        Some(false) => Exit::Differs,
        None => Exit::Failed,
    };
    if session.json {
        let mut object = view::audit::json(id, &findings, waits, truth);
        if exit == Exit::Failed {
            note_error(&unclear(), &mut object);
        }
        out::object(&Value::Object(object))?;
        return Ok(exit);
    }
    out::pairs(&view::audit::rows(&findings))?;
    if waits {
        out::note("The audit is not over: draws are to come.");
    }
    if exit == Exit::Failed {
        out::note(&format!("error: {}", unclear()));
    }
    out::line(view::audit::verdict(truth))?;
    Ok(exit)
}

/// Returns whether the chain told the truth; `None` if that is unclear.
fn truth(findings: &[Finding]) -> Option<bool> {
    let is = |agreement| findings.iter().any(|finding| finding.agreement == agreement);
    if is(Agreement::Differs) {
        Some(false)
    } else if is(Agreement::Unclear) {
        None
    } else {
        Some(true)
    }
}

fn unclear() -> anyhow::Error {
    Fault::error(
        "audit_unclear",
        "a block changed bonds or records of operators before it made a draw, so the state that the \
         draw read is not kept; replay that block to be certain",
    )
}

/// Returns the findings about all draws, and whether draws are to come.
async fn findings(
    session: &Session,
    id: &JobId,
    at: Option<BlockNumber>,
) -> Result<(Vec<Finding>, bool)> {
    let chain = &session.chain;
    let last = match at {
        Some(block) => block,
        None => chain.best().await?,
    };
    let job = gather::job(chain, id, last).await?.ok_or_else(|| forgotten(last))?;
    ensure_delivered(&job.state)?;
    let delivered = gather::delivered(chain, id, job.created, last).await?;
    let waits = gather::waits(chain, id, delivered, last).await?;
    let mut findings = Vec::new();
    let mut stages = Vec::new();
    let mut to_come = false;
    let mut decided = None;
    for wait in &waits {
        let Some(evidence) = gather::evidence(chain, id, wait).await? else {
            to_come = true;
            continue;
        };
        let computed = recompute(&evidence);
        findings.extend(finding::of_draw(&evidence, computed.as_ref()));
        if let Some(computed) = computed {
            stages.push(computed.stage);
            decided = decided.or_else(|| finding::of_record(last, &job.state, &computed));
        }
    }
    if !to_come {
        findings.extend(finding::of_missing(last, &job.state, &stages));
    }
    findings.extend(decided);
    let settled = matches!(job.state, JobState::Settled(_));
    let waived = matches!(job.state, JobState::Delivered { audit: false, .. });
    Ok((findings, !settled && !waived))
}

/// Ensures that a job has delivered an output, after which the first draw is made.
fn ensure_delivered(state: &JobState<assay_runtime::AccountId>) -> Result<()> {
    match state {
        JobState::Delivered { .. } => Ok(()),
        JobState::Settled(settlement) if settlement.output_hash.is_some() => Ok(()),
        JobState::Settled(settlement) => Err(Fault::error(
            "job_not_delivered",
            format!(
                "the job ended {} without an output, so no audit was drawn",
                settlement.outcome.label()
            ),
        )),
        other => Err(Fault::error(
            "job_not_delivered",
            format!(
                "the job is {} and has no output yet; an audit is drawn after the delivery, so try \
                 again then",
                view::job::state(other)
            ),
        )),
    }
}

fn forgotten(last: BlockNumber) -> anyhow::Error {
    Fault::error(
        "job_forgotten",
        format!(
            "the chain does not have the job at block {last}: it never had it, or has forgotten it after \
             its end; name with --at a block at which it had it, on an archive node (one that runs with \
             `--state-pruning archive`)"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::finding::Topic;

    fn finding(agreement: Agreement) -> Finding {
        Finding {
            block: 1,
            topic: Topic::Output,
            computed: String::new(),
            recorded: None,
            agreement,
        }
    }

    #[test]
    fn one_difference_makes_a_lie_and_one_doubt_none() {
        use Agreement::{Agrees, Differs, NotRecorded, Unclear};
        let told = |all: &[Agreement]| {
            truth(&all.iter().map(|agreement| finding(*agreement)).collect::<Vec<_>>())
        };
        assert_eq!(told(&[Agrees, NotRecorded]), Some(true));
        assert_eq!(told(&[Agrees, Unclear, NotRecorded]), None);
        assert_eq!(told(&[Agrees, Unclear, Differs]), Some(false));
    }

    #[test]
    fn job_without_a_delivery_has_no_draws() {
        let error = ensure_delivered(&JobState::Open { until: 7 }).unwrap_err();
        assert!(error.to_string().contains("is open and has no output yet"), "{error}");
    }
}
