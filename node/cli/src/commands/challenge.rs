// SPDX-License-Identifier: Apache-2.0
//! `assay job challenge`.

use super::after::show_after;
use crate::{
    amount::Amount,
    exit::Exit,
    fault::{Fault, OfJob},
    follow::unknown,
    funds::Need,
    out,
    session::Session,
    view,
};
use anyhow::{Context, Result};
use assay_primitives::{api::JobView, JobId, JobState, Verification};
use assay_runtime::{AccountId, RuntimeCall};

/// Challenges the output of a job, after it has said what is at stake.
pub async fn challenge(session: &Session, id: &JobId) -> Result<Exit> {
    let chain = &session.chain;
    let view = chain.job(id).await?.ok_or_else(|| unknown(id))?;
    let bond = open(&view).context(OfJob(*id))?;
    let account = session.account()?;
    let is_client = account == view.client;
    out::note(&stakes(&view, Amount(bond), is_client));
    let call = RuntimeCall::Verification(pallet_verification::Call::challenge { job: *id });
    let need =
        Need { amount: bond, what: "the challenge", goes: "on hold as its bond", otherwise: "" };
    let sent = if is_client {
        session.submit_covered(call, &need).await
    } else {
        // The bond of an operator is a part of its stake.
        session.submit(call).await
    };
    let included = sent.context(OfJob(*id))?;
    show_after(session, id, &included).await
}

/// Returns the bond of a challenge of the job.
fn open(view: &JobView<AccountId>) -> Result<u128> {
    match (&view.state, view.challenge_bond) {
        (JobState::Delivered { audit: false, .. }, Some(bond)) => Ok(bond),
        (JobState::Delivered { audit: false, .. }, None)
            if view.spec.verification != Verification::Required =>
        {
            Err(Fault::error(
                "verification.VerificationNotRequired",
                "the job was ordered with --verification if-possible; its output cannot be challenged",
            ))
        }
        (JobState::Delivered { audit: false, until, .. }, None) => Err(Fault::error(
            "verification.ChallengeWindowOver",
            format!("the challenge window of the job ended with block {until}"),
        )),
        (JobState::Delivered { challenger: Some(challenger), .. }, _) => Err(Fault::error(
            "verification.AuditOpen",
            format!("{challenger} challenges the output already; a jury checks it"),
        )),
        (JobState::Delivered { .. }, _) => Err(Fault::error(
            "verification.AuditOpen",
            "the job waits for its audit, or for the draw that decides on one; if it is not drawn, \
             challenge it then",
        )),
        (other, _) => Err(Fault::error(
            "verification.JobNotDelivered",
            format!(
                "the job is {}; an output can be challenged from its delivery until the job is settled",
                view::job::state(other)
            ),
        )),
    }
}

/// Says what a challenge can cost and bring.
fn stakes(view: &JobView<AccountId>, bond: Amount, is_client: bool) -> String {
    let (place, won) = if is_client {
        ("on hold from your balance", "you get all that the job holds and what it cost you")
    } else {
        ("reserved of your stake", "you get a part of the operator's bond")
    };
    let operator = match &view.state {
        JobState::Delivered { operator, .. } => operator.to_string(),
        _ => "the operator".into(),
    };
    format!(
        "A bond of {bond} is {place}. A jury checks the output. If it finds it wrong, {operator} loses \
         its bond, yours returns, and {won}. If it finds it right, you lose the bond: it pays the jurors \
         and the operator. If no jury can decide, the bond returns and the job is paid for."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::{FinishReason, JobSpec, OutputCommitment, Payment, Prices};
    use sp_core::H256;

    fn view(audit: bool, challenger: Option<AccountId>, bond: Option<u128>) -> JobView<AccountId> {
        let commitment = OutputCommitment {
            output_hash: H256::zero(),
            digest_commitment: H256::zero(),
            tokens: 1,
            finish: FinishReason::Length,
        };
        let operator = AccountId::new([2; 32]);
        let prices = Prices::default();
        JobView {
            client: AccountId::new([1; 32]),
            spec: JobSpec {
                verification: Verification::Required,
                ..assay_primitives::testing::spec()
            },
            payment: Payment::default(),
            created: 1,
            attempts: 1,
            state: JobState::Delivered {
                operator,
                prices,
                commitment,
                took: 1,
                audit,
                challenger,
                until: 9,
            },
            committee: Vec::new(),
            challenge_bond: bond,
        }
    }

    #[test]
    fn job_that_is_not_open_to_challenges_is_refused_with_the_code_of_the_chain() {
        assert_eq!(open(&view(false, None, Some(7))).unwrap(), 7);
        let other = Some(AccountId::new([3; 32]));
        let over = JobView { state: JobState::Open { until: 3 }, ..view(false, None, None) };
        let mut unchecked = view(false, None, None);
        unchecked.spec.verification = Verification::IfPossible;
        for (view, code) in [
            (unchecked, "verification.VerificationNotRequired"),
            (view(false, None, None), "verification.ChallengeWindowOver"),
            (view(true, None, None), "verification.AuditOpen"),
            (view(true, other, Some(7)), "verification.AuditOpen"),
            (over, "verification.JobNotDelivered"),
        ] {
            assert_eq!(open(&view).unwrap_err().downcast_ref::<Fault>().unwrap().code, code);
        }
    }

    #[test]
    fn stakes_name_the_bond_and_where_it_comes_from() {
        let of = |is_client| stakes(&view(false, None, None), Amount(3), is_client);
        assert!(of(true).contains("on hold from your balance"));
        assert!(of(false).contains("reserved of your stake"));
    }
}
