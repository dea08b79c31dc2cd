// SPDX-License-Identifier: Apache-2.0
//! All that somebody can do to the job in a state.

use crate::{blocks, time};
use assay_primitives::{
    job::{FinishReason, JobState, OutputCommitment, Payment},
    publication::Part,
    verdict_hash, AbstainReason, DeclineReason, JobId, RejectReason, Report, VacateReason, Verdict,
};
use assay_runtime::{
    parameters::{dynamic_params, RuntimeParameters},
    presets, AccountId, Balance, Jobs, Operators, Runtime, RuntimeCall, RuntimeOrigin, UNIT,
};
use frame_support::assert_ok;
use pallet_verification::{Audits, Ballot, Phase, Stage};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::Dispatchable, Perbill, Permill};
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

/// The request and the transcript of the job.
pub const REQUEST: &[u8] = b"In the beginning";
const TRANSCRIPT: &[u8] = b"God created the heaven and the earth.";
const DIGEST_ROOT: H256 = H256::repeat_byte(9);
const SALT: H256 = H256::repeat_byte(5);
/// The tokens that the job asks for.
pub const TOKENS: u32 = 8;

/// A record, in millionths, with which no more jobs are audited than must be.
const RECORD: u64 = 1_000_000_000;

/// Something that somebody does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// The client orders text, and puts a down payment on it or none.
    Create {
        down: bool,
    },
    /// The client pays more.
    Raise,
    Cancel,
    Confirm,
    /// A mover tries to end the job or to move its audit on.
    Settle,
    Expire,
    Advance,
    /// The operator answers.
    Accept,
    Decline(DeclineReason),
    /// The operator delivers all tokens, or one.
    Deliver {
        tokens: u32,
    },
    /// The first verifier that has not answered does.
    Commit(Vote),
    Vacate,
    /// The first verifier that has committed to this reveals it.
    Reveal(Vote),
    Publish(Part),
    /// The client, or an operator that could verify the output, challenges it.
    Challenge {
        client: bool,
    },
    /// The job's operator, or another with a bond of the job, takes its stake and goes.
    Leave {
        operator: bool,
    },
    /// The job's operator, or another with a bond of the job, is slashed wholly for another offence.
    Offend {
        operator: bool,
    },
    /// Of the operators that have no part in the job, all but so many stop serving.
    Drain {
        but: usize,
    },
    /// All operators have got a record with which few of their outputs are audited.
    Trust,
    /// Time passes with this luck.
    Pass {
        luck: u8,
    },
}

/// A verdict of a verifier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Vote {
    Accept,
    Reject,
    Unavailable,
}

impl Vote {
    pub const ALL: [Self; 3] = [Self::Accept, Self::Reject, Self::Unavailable];

    fn verdict(self) -> Verdict {
        match self {
            Self::Accept => Verdict::Accept { digest_root: DIGEST_ROOT },
            Self::Reject => Verdict::Reject { position: 0, reason: RejectReason::Integrity },
            Self::Unavailable => Verdict::Abstain(AbstainReason::PayloadUnavailable),
        }
    }
}

impl Act {
    /// The kinds of acts that must have an effect somewhere: all but those of movers, who come too late
    /// where blocks have room for what is due.
    pub const KINDS: [&'static str; 15] = [
        "Accept",
        "Cancel",
        "Challenge",
        "Commit",
        "Confirm",
        "Decline",
        "Deliver",
        "Drain",
        "Leave",
        "Offend",
        "Pass",
        "Publish",
        "Raise",
        "Reveal",
        "Vacate",
    ];

    /// Returns the act's name without what it holds.
    pub fn kind(&self) -> String {
        let text = format!("{self:?}");
        let end = text.find([' ', '(']).unwrap_or(text.len());
        text[..end].into()
    }
}

/// Returns what can be done in the current state.
pub fn acts() -> Vec<Act> {
    let (job, audit) = time::view();
    let Some(job) = job else { return Vec::new() };
    let mut all = vec![Act::Pass { luck: 0 }, Act::Settle, Act::Expire, Act::Confirm];
    match job {
        JobState::Settled(_) => return Vec::new(),
        JobState::Open { .. } => all.extend([Act::Raise, Act::Cancel, Act::Drain { but: 0 }]),
        JobState::Assigned { .. } => {
            let reasons = [DeclineReason::Resource, DeclineReason::PayloadUnavailable];
            all.extend(reasons.map(Act::Decline));
            all.extend([Act::Accept, Act::Cancel]);
        }
        JobState::Running { .. } => {
            let tokens = [1, TOKENS];
            all.extend(tokens.map(|tokens| Act::Deliver { tokens }));
            all.extend([0, 4, 9].map(|but| Act::Drain { but }));
        }
        JobState::Delivered { audit: true, .. } => all.push(Act::Advance),
        JobState::Delivered { .. } => {
            all.extend([true, false].map(|client| Act::Challenge { client }));
        }
    }
    if time::operator().is_some() {
        all.extend([Act::Leave { operator: true }, Act::Offend { operator: true }]);
    }
    let Some(audit) = audit else { return all };
    let lucks = [1, 2, 3];
    match audit.phase {
        Phase::Drawing { .. } if audit.stage == Stage::SecondLook || audit.seats.len() > 1 => {
            all.extend(lucks.map(|luck| Act::Pass { luck }));
        }
        Phase::Drawing { .. } => {}
        Phase::Committing { .. } => {
            all.extend(Vote::ALL.map(Act::Commit));
            all.push(Act::Vacate);
        }
        Phase::Revealing { .. } => all.extend(Vote::ALL.map(Act::Reveal)),
        Phase::Producing { .. } => all.extend(Part::ALL.map(Act::Publish)),
    }
    if !audit.seats.is_empty() {
        all.extend([Act::Leave { operator: false }, Act::Offend { operator: false }]);
    }
    all
}

/// Returns the client.
fn client() -> AccountId {
    Sr25519Keyring::Ferdie.to_account_id()
}

/// Returns an account that has no part in anything.
fn mover() -> AccountId {
    Sr25519Keyring::Eve.to_account_id()
}

/// Dispatches a call. A refused call changes nothing, which is fine.
fn call(who: &AccountId, call: impl Into<RuntimeCall>) {
    let _ = call.into().dispatch(RuntimeOrigin::signed(who.clone()));
}

/// Performs an act in the current state, unless it is the passing of time.
pub fn act(act: &Act) {
    if let Act::Create { down } = *act {
        return create(down);
    }
    if *act == Act::Trust {
        return trust();
    }
    let Some(job) = time::job() else { return };
    match *act {
        Act::Create { .. } | Act::Trust | Act::Pass { .. } => {}
        Act::Raise => {
            let more = Payment { down: 0, cost: UNIT / 100, tip: 0 };
            call(&client(), pallet_jobs::Call::raise_payment { job, more });
        }
        Act::Cancel => call(&client(), pallet_jobs::Call::cancel { job }),
        Act::Confirm => call(&client(), pallet_jobs::Call::confirm_received { job }),
        Act::Settle => call(&mover(), pallet_jobs::Call::settle { job }),
        Act::Expire => call(&mover(), pallet_jobs::Call::expire { job }),
        Act::Advance => call(&mover(), pallet_verification::Call::advance { job }),
        Act::Accept => of_operator(Report::Accept { job }),
        Act::Decline(reason) => of_operator(Report::Decline { job, reason }),
        Act::Deliver { tokens } => {
            let finish =
                if tokens == TOKENS { FinishReason::Length } else { FinishReason::EndToken };
            let commitment = OutputCommitment {
                output_hash: hash_of(TRANSCRIPT),
                digest_commitment: hash_of(DIGEST_ROOT.as_bytes()),
                tokens,
                finish,
            };
            of_operator(Report::CommitOutput { job, commitment });
        }
        Act::Commit(vote) => {
            if let Some((verifier, draw)) = seat(&job, |ballot| *ballot == Ballot::Awaited) {
                let hash = verdict_hash(&job, draw, &verifier, &vote.verdict(), &SALT);
                blocks::report(&verifier, Report::CommitVerdict { job, hash });
            }
        }
        Act::Vacate => {
            if let Some((verifier, _)) = seat(&job, |ballot| *ballot == Ballot::Awaited) {
                let reason = VacateReason::Resource;
                blocks::report(&verifier, Report::Vacate { job, reason });
            }
        }
        Act::Reveal(vote) => reveal(job, vote.verdict()),
        Act::Publish(part) => {
            let payload = match part {
                Part::Request => REQUEST,
                Part::Transcript => TRANSCRIPT,
            };
            let bytes = payload.to_vec().try_into().unwrap();
            let publish =
                pallet_verification::Call::publish { job, part, index: 0, last: true, bytes };
            time::operator().iter().for_each(|operator| call(operator, publish.clone()));
        }
        Act::Challenge { client: by_client } => {
            let busy = time::operator();
            let others = presets::DEVELOPMENT_OPERATORS.iter().map(|who| who.to_account_id());
            let other = others.rev().find(|who| Some(who) != busy.as_ref());
            let challenger = if by_client { Some(client()) } else { other };
            let challenge = pallet_verification::Call::challenge { job };
            challenger.iter().for_each(|who| call(who, challenge.clone()));
        }
        Act::Leave { operator } => {
            if let Some(who) = bound(&job, operator) {
                call(&who, pallet_operators::Call::unbond { amount: Balance::MAX });
                call(&who, pallet_operators::Call::leave {});
            }
        }
        Act::Offend { operator } => {
            if let Some(who) = bound(&job, operator) {
                let offence = OffenceDetails { offender: (who, ()), reporters: Vec::new() };
                Operators::on_offence(&[offence], &[Perbill::one()], 0);
                let slash = 0;
                call(&mover(), pallet_operators::Call::apply_slash { slash });
            }
        }
        Act::Drain { but } => {
            let busy = time::operator();
            let others = presets::DEVELOPMENT_OPERATORS.iter().map(|who| who.to_account_id());
            for who in others.filter(|who| Some(who) != busy.as_ref()).skip(but) {
                call(&who, pallet_operators::Call::set_draining { draining: true });
            }
        }
    }
}

/// Orders text at the price that the chain quotes.
fn create(down: bool) {
    let spec = assay_primitives::JobSpec {
        model: presets::TINY_MODEL,
        input_tokens: 4,
        max_tokens: TOKENS,
        request_hash: hash_of(REQUEST),
        deadline: 40,
        verification: assay_primitives::Verification::Required,
        ..assay_primitives::testing::spec()
    };
    let quoted = Jobs::quote(&spec.model, spec.input_tokens, spec.max_tokens).unwrap().payment;
    let payment = Payment { down: if down { UNIT / 100 } else { 0 }, ..quoted };
    call(&client(), pallet_jobs::Call::create { spec, payment });
}

/// Gives all operators a long record, and lets the chain audit few jobs of such; the others are open to
/// confirmation for the windows of a network with money.
fn trust() {
    use dynamic_params::{
        jobs, operators,
        verification::{AuditFloor, DrawBlocks, Parameters},
    };
    let (floor, unbonding) = (Permill::from_percent(13), operators::UnbondingPeriod);
    let challenge = jobs::Parameters::ChallengeWindow(jobs::ChallengeWindow, None);
    let changes = vec![
        RuntimeParameters::Jobs(challenge),
        RuntimeParameters::Verification(Parameters::DrawBlocks(DrawBlocks, Some(16))),
        RuntimeParameters::Verification(Parameters::AuditFloor(AuditFloor, Some(floor))),
        RuntimeParameters::Operators(operators::Parameters::UnbondingPeriod(unbonding, None)),
    ];
    let changes = changes.try_into().unwrap();
    let call = RuntimeCall::from(pallet_settings::Call::set { changes });
    assert_ok!(call.dispatch(RuntimeOrigin::root()));
    for operator in presets::DEVELOPMENT_OPERATORS {
        pallet_verification::Records::<Runtime>::insert(operator.to_account_id(), RECORD);
    }
}

/// Reports for the job's operator.
fn of_operator(report: Report) {
    if let Some(operator) = time::operator() {
        blocks::report(&operator, report);
    }
}

/// Returns the first verifier whose ballot is in that state, and the draw of its seat.
fn seat(job: &JobId, wanted: impl Fn(&Ballot) -> bool) -> Option<(AccountId, u8)> {
    let seats = Audits::<Runtime>::get(job)?.seats;
    let seat = seats
        .into_iter()
        .find(|seat| wanted(&seat.ballot) && Operators::view(&seat.verifier).is_some())?;
    Some((seat.verifier, seat.draw))
}

/// Reveals the verdict for the first verifier that has committed to it.
fn reveal(job: JobId, verdict: Verdict) {
    let Some(audit) = Audits::<Runtime>::get(job) else { return };
    for seat in audit.seats {
        let hash = verdict_hash(&job, seat.draw, &seat.verifier, &verdict, &SALT);
        if seat.ballot == (Ballot::Committed { hash }) && Operators::view(&seat.verifier).is_some()
        {
            blocks::report(&seat.verifier, Report::RevealVerdict { job, verdict, salt: SALT });
            return;
        }
    }
}

/// Returns the job's operator, or the first verifier on its panel.
fn bound(job: &JobId, operator: bool) -> Option<AccountId> {
    if operator {
        return time::operator();
    }
    Some(Audits::<Runtime>::get(job)?.seats.first()?.verifier.clone())
}

fn hash_of(payload: &[u8]) -> H256 {
    H256(blake2_256(payload))
}
