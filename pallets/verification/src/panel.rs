// SPDX-License-Identifier: Apache-2.0
//! Drawing the verifiers of a panel, and filling the seats that became vacant.

use crate::{
    types::{Audit, Ballot, PanelFailure, Phase, Seat, Span, Stage},
    Audits, Config, Event, Pallet, SeatsOf, LOG_TARGET,
};
use alloc::vec::Vec;
use assay_primitives::{
    draw::{self, Purpose},
    job::JobId,
    settlement::AuditOutcome,
    traits::{AuditSubject, AuditedJobs, Auditor, Duty, Operators, PastRandomness, Routing},
    BlockNumber,
};
use frame_support::{traits::Get, BoundedVec};
use sp_core::H256;

/// The most blocks that verifiers have to commit: four hours. Three panels with three draws each, and a day
/// to publish, then take less than the four days for which a retired worker key reports.
pub(crate) const MAX_COMMIT_WINDOW: BlockNumber = 4_800;

impl<T: Config> Pallet<T> {
    /// Returns the most seats of a panel.
    pub fn most_seats(stage: Stage) -> u32 {
        if stage.is_jury() {
            T::JurySize::get()
        } else {
            T::CommitteeSize::get()
        }
    }

    /// Returns the fewest verifiers that a panel can decide with.
    pub fn fewest_seats(stage: Stage) -> u32 {
        if stage.is_jury() {
            T::MinJury::get()
        } else {
            (T::CommitteeSize::get() / 2).saturating_add(1)
        }
    }

    /// Decides whether the job is audited, or looked at a second time, and draws verifiers if so.
    /// A draw that had to wait until the outputs of its span were forgotten is made with the last
    /// blocks before this one: if it waited for others, it could be too late again. Where no block of
    /// the span has an output, it is made with the blocks after this one.
    pub(crate) fn draw(job: &JobId, mut audit: Audit<T::AccountId>, now: BlockNumber) {
        let outputs = |span: Span| T::Randomness::of_span(span.first, span.count);
        let mut randomness = outputs(audit.span);
        if randomness.is_none() && now > audit.span.known() {
            audit.span = Span::before(now, audit.span.count);
            randomness = outputs(audit.span);
        }
        let Some(randomness) = randomness else { return Self::await_draw(job, audit) };
        let Some(subject) = T::Jobs::subject(job) else {
            log::error!(target: LOG_TARGET, "job {job:?} is under audit and not delivered");
            Self::dismiss(job, &mut audit);
            Audits::<T>::remove(job);
            Self::forget_publication(job);
            return;
        };
        let asks = audit.draws == 0 && audit.stage == Stage::Committee;
        if asks && !Self::is_drawn(job, &subject, audit.span) {
            return Self::conclude(job, AuditOutcome::NotAudited, Vec::new(), 0, 0);
        }
        let first = audit.round == 0;
        if first && audit.stage == Stage::SecondLook && !Self::is_second_look(job, audit.span) {
            return Self::decide(job, audit, AuditOutcome::Accepted);
        }
        Self::fill(job, audit, &subject, &randomness, now);
    }

    /// Waits for the outputs of the blocks after this one, with which verifiers are drawn.
    pub(crate) fn await_draw(job: &JobId, mut audit: Audit<T::AccountId>) {
        audit.span = Self::next_span();
        audit.phase = Phase::Drawing { at: audit.span.known() };
        Self::put(job, audit);
    }

    /// Returns whether an accepted audit is looked at a second time.
    fn is_second_look(job: &JobId, span: Span) -> bool {
        Self::has_ticket(job, Purpose::SecondLook, T::SecondLooks::get(), span)
    }

    /// Draws verifiers for the vacant seats and reserves their bonds. The first draw of a panel
    /// decides on its size. Verifiers that have committed keep their seats.
    fn fill(
        job: &JobId,
        mut audit: Audit<T::AccountId>,
        subject: &AuditSubject<T::AccountId>,
        randomness: &H256,
        now: BlockNumber,
    ) {
        let Audit { stage, draws, .. } = audit;
        let first = audit.round == 0;
        let size = if first { Self::most_seats(stage) } else { audit.size };
        let vacant = size.saturating_sub(count(&audit.seats));
        let drawn = Self::draw_verifiers(job, &audit, subject, randomness, vacant);
        audit.draws = draws.saturating_add(1);
        audit.round = audit.round.saturating_add(1);
        for verifier in drawn {
            SeatsOf::<T>::insert(&verifier, job, ());
            let seat = Seat { verifier, stage, draw: draws, ballot: Ballot::Awaited };
            // A panel has no more seats than its bound, as the integrity test makes sure.
            if audit.seats.try_push(seat).is_err() {
                log::error!(target: LOG_TARGET, "job {job:?} has more seats than it can have");
            }
        }
        Self::make_odd(job, &mut audit);
        if first {
            audit.size = count(&audit.seats);
        }
        if count(&audit.seats) < Self::fewest_seats(stage) {
            return Self::fail(job, audit, PanelFailure::TooFewVerifiers);
        }
        let new: Vec<_> = audit
            .seats
            .iter()
            .filter(|seat| seat.ballot == Ballot::Awaited)
            .map(|seat| seat.verifier.clone())
            .collect();
        if new.is_empty() {
            return Self::open_reveals(job, audit);
        }
        let until = now.saturating_add(Self::commit_window(subject));
        audit.phase = Phase::Committing { until };
        Self::put(job, audit);
        Self::deposit_event(Event::AuditDrawn {
            job: *job,
            stage,
            round: draws,
            committee: new,
            until,
        });
    }

    /// Draws up to `vacant` verifiers, and reserves the bond of each.
    fn draw_verifiers(
        job: &JobId,
        audit: &Audit<T::AccountId>,
        subject: &AuditSubject<T::AccountId>,
        randomness: &H256,
        vacant: u32,
    ) -> Vec<T::AccountId> {
        let bond = Self::bond_of(subject.reward);
        let seed = draw::seed(randomness, job, Purpose::Committee(audit.draws));
        let reserved =
            |account: &_| T::Operators::reserve(account, Duty::Verify(*job), bond).is_ok();
        Self::select(audit, subject, seed, vacant).into_iter().filter(reserved).collect()
    }

    /// Returns the verifiers that the seed selects for up to `vacant` seats, in the order of the draw.
    /// It changes nothing, so anyone can repeat it with the state of the block before the draw.
    pub fn select(
        audit: &Audit<T::AccountId>,
        subject: &AuditSubject<T::AccountId>,
        seed: H256,
        vacant: u32,
    ) -> Vec<T::AccountId> {
        T::Routing::committee(&subject.spec.model, seed, vacant, |account| {
            let known = |seat: &Seat<T::AccountId>| seat.verifier == *account;
            !audit.seats.iter().chain(&audit.heard).any(known)
                && !audit.left.contains(account)
                && Self::can_verify(account, subject)
        })
    }

    /// Dismisses the last verifier of a jury with an even number of them, so that votes are not
    /// tied where all vote.
    pub(crate) fn make_odd(job: &JobId, audit: &mut Audit<T::AccountId>) {
        if audit.stage.is_jury() && count(&audit.seats) % 2 == 0 {
            if let Some(seat) = audit.seats.pop() {
                Self::unseat(job, &seat.verifier);
            }
        }
    }

    /// The blocks that verifiers have to commit: the longer, the more tokens they read.
    pub(crate) fn commit_window(subject: &AuditSubject<T::AccountId>) -> BlockNumber {
        let tokens = subject.spec.input_tokens.saturating_add(subject.commitment.tokens);
        let reading = tokens.checked_div(T::VerificationSpeed::get()).unwrap_or(MAX_COMMIT_WINDOW);
        T::CommitWindow::get().saturating_add(reading).min(MAX_COMMIT_WINDOW)
    }

    /// Returns the most blocks of an audit that waits for no other: of a committee and two juries, each
    /// drawn as often as it can be, and of a publication between the juries. Bonds stand as long.
    pub fn longest_audit() -> BlockNumber {
        // The blocks of the draw, the one that makes it, and the window.
        let draw = T::DrawBlocks::get().saturating_add(MAX_COMMIT_WINDOW).saturating_add(2);
        let panel = draw
            .saturating_mul(T::MaxRounds::get().into())
            .saturating_add(T::RevealWindow::get())
            .saturating_add(1);
        panel.saturating_mul(3).saturating_add(T::ProduceWindow::get()).saturating_add(1)
    }

    /// Returns whether the operator can re-run the job, has nothing to do with it otherwise, and can stand
    /// for its verdict.
    pub(crate) fn can_verify(account: &T::AccountId, subject: &AuditSubject<T::AccountId>) -> bool {
        let AuditSubject { client, operator, challenger, spec, reward, .. } = subject;
        // A challenger is a party, and so is its client then, with whoever has delegated to them.
        let challenged = challenger.as_ref().is_some_and(|by| {
            Self::is_involved(account, client, by) || Self::is_involved(account, by, client)
        });
        !challenged
            && !Self::is_involved(account, client, operator)
            && Self::can_check(account, &spec.model, spec.length(), *reward)
    }

    /// Moves the panel's votes to those that were heard. Members of a committee that did not vote leave
    /// the audit. Jurors that did not, because they could not fetch what they had to check, can be drawn
    /// again for the jury of what is published: of few operators none might be left otherwise.
    pub(crate) fn hear(job: &JobId, audit: &mut Audit<T::AccountId>) {
        for seat in core::mem::take(&mut audit.seats) {
            if seat.vote().is_none() {
                match seat.stage {
                    Stage::Committee => Self::leave(job, audit, seat.verifier),
                    Stage::Jury | Stage::SecondLook | Stage::Published | Stage::Challenge => {
                        Self::unseat(job, &seat.verifier);
                    }
                }
                continue;
            }
            SeatsOf::<T>::remove(&seat.verifier, job);
            if audit.heard.try_push(seat).is_err() {
                log::error!(target: LOG_TARGET, "job {job:?} has heard more than it can");
            }
        }
    }

    /// Lets another panel be drawn after the last one was heard.
    pub(crate) fn sit(job: &JobId, mut audit: Audit<T::AccountId>, stage: Stage) {
        audit.stage = stage;
        audit.round = 0;
        audit.size = 0;
        Self::await_draw(job, audit);
    }

    /// Ends the duty of a verifier, which is never drawn again for this job.
    pub(crate) fn leave(job: &JobId, audit: &mut Audit<T::AccountId>, verifier: T::AccountId) {
        Self::unseat(job, &verifier);
        if audit.left.try_push(verifier).is_err() {
            log::error!(target: LOG_TARGET, "job {job:?} has more verifiers than it can have");
        }
    }

    /// Ends the duty of all verifiers of all panels.
    pub(crate) fn dismiss(job: &JobId, audit: &mut Audit<T::AccountId>) {
        let seats = core::mem::take(&mut audit.seats);
        let heard = core::mem::take(&mut audit.heard);
        for seat in seats.into_iter().chain(heard) {
            Self::unseat(job, &seat.verifier);
        }
    }

    /// Ends the duty of a verifier: what is left of its bond is free again.
    pub(crate) fn unseat(job: &JobId, verifier: &T::AccountId) {
        T::Operators::release(verifier, Duty::Verify(*job));
        SeatsOf::<T>::remove(verifier, job);
    }

    /// Takes the seats out of which `stays` is false, in the order of the panel.
    pub(crate) fn take_seats(
        audit: &mut Audit<T::AccountId>,
        stays: impl Fn(&Ballot) -> bool,
    ) -> Vec<Seat<T::AccountId>> {
        let seats = core::mem::take(&mut audit.seats);
        let (stay, leave): (Vec<_>, Vec<_>) =
            seats.into_iter().partition(|seat| stays(&seat.ballot));
        audit.seats = BoundedVec::truncate_from(stay);
        leave
    }
}

/// The number of seats.
pub(crate) fn count<AccountId>(seats: &[Seat<AccountId>]) -> u32 {
    u32::try_from(seats.len()).unwrap_or(u32::MAX)
}
