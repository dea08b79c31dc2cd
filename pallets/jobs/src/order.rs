// SPDX-License-Identifier: Apache-2.0
//! The client's calls: order, raise, withdraw, confirm.

use crate::{
    settle::Found, types::Job, Config, Error, Event, FirstTryEntries, JobNonce, Jobs, JobsOf,
    Pallet,
};
use assay_primitives::{
    job::{job_id, JobId, JobSpec, JobState, Payment, PeerIdBytes, Privacy, Verification},
    settlement::Outcome,
    traits::{Escrow, Routing},
};
use frame_support::{dispatch::DispatchResult, ensure, traits::Get, BoundedVec};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Zero;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_create(
        client: T::AccountId,
        spec: JobSpec<T::AccountId>,
        payment: Payment,
    ) -> DispatchResult {
        Self::ensure_orderable(&spec, &payment)?;
        let nonce = JobNonce::<T>::get(&client);
        let next = nonce.checked_add(1).ok_or(Error::<T>::NonceExhausted)?;
        let id = Self::id_of(&client, nonce, &spec);
        T::Escrow::open(&id, &client, payment, T::Bounty::get(), T::Deposit::get())?;
        if spec.audit {
            T::Escrow::hold_audit(&id, Self::audit_of(&spec, payment.cost))?;
        }
        JobNonce::<T>::insert(&client, next);
        JobsOf::<T>::insert(&client, id, ());
        // The state is set by `put`, which only needs to know when the job opens.
        let created = Self::new_job(client.clone(), spec, payment);
        let until = created.open_until();
        let first = Self::first_try().max(created.opens());
        Self::seek(&id, &created, first);
        Self::put(&id, created);
        Self::deposit_event(Event::JobCreated { job: id, client, payment, until });
        Ok(())
    }

    /// An open job, created now.
    pub(crate) fn new_job(
        client: T::AccountId,
        spec: JobSpec<T::AccountId>,
        payment: Payment,
    ) -> Job<T::AccountId> {
        let created = Self::now();
        let until = created.max(spec.not_before).saturating_add(spec.deadline);
        let drawn = BoundedVec::new();
        Job {
            client,
            spec,
            payment,
            created,
            since: created,
            drawn,
            unserved: 0,
            declined: BoundedVec::new(),
            routed: false,
            state: JobState::Open { until },
        }
    }

    /// The identifier of the client's job with that nonce.
    pub(crate) fn id_of(client: &T::AccountId, nonce: u64, spec: &JobSpec<T::AccountId>) -> JobId {
        let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        job_id(&genesis, client, nonce, spec)
    }

    /// Refuses what could never be run, each for its own reason.
    fn ensure_orderable(spec: &JobSpec<T::AccountId>, payment: &Payment) -> DispatchResult {
        ensure!(spec.max_tokens > 0, Error::<T>::MaxTokensZero);
        ensure!(spec.max_tokens <= T::MaxOutputTokens::get(), Error::<T>::MaxTokensTooHigh);
        ensure!(spec.input_tokens > 0, Error::<T>::InputEmpty);
        ensure!(spec.input_tokens <= T::MaxInputTokens::get(), Error::<T>::InputTooLong);
        ensure!(spec.sampling.is_valid(), Error::<T>::SamplingOutOfRange);
        ensure!(
            (T::MinDeadline::get()..=T::MaxDeadline::get()).contains(&spec.deadline),
            Error::<T>::DeadlineOutOfRange
        );
        let latest = Self::now().saturating_add(T::MaxDelay::get());
        ensure!(spec.not_before <= latest, Error::<T>::NotBeforeTooFar);
        ensure!(
            spec.privacy == Privacy::Public && spec.output_key.is_none(),
            Error::<T>::SealedNotAvailable
        );
        ensure!(is_peer_id(&spec.peer), Error::<T>::PeerIdMalformed);
        let context = T::Routing::context(&spec.model).ok_or(Error::<T>::ModelNotServed)?;
        ensure!(spec.fits(context), Error::<T>::ContextExceeded);
        let shortest = Self::shortest_deadline(&spec.model, spec.max_tokens);
        let in_time = spec.deadline >= shortest || !spec.allowed.is_empty();
        ensure!(in_time, Error::<T>::DeadlineTooShort);
        // An audit that cannot be held leaves an operator unpaid.
        let checkable = !spec.audit || spec.verification == Verification::Required;
        ensure!(checkable, Error::<T>::AuditNotRequired);
        let least = Self::least_cost(&spec.model, spec.input_tokens, spec.max_tokens)
            .ok_or(Error::<T>::ModelNotServed)?;
        ensure!(payment.cost >= least, Error::<T>::CostBelowOffers);
        Self::ensure_payable(spec, payment)
    }

    /// Refuses a payment that does not fit into a balance together with bounty, deposit and the fees of
    /// an audit.
    fn ensure_payable(spec: &JobSpec<T::AccountId>, payment: &Payment) -> DispatchResult {
        let audit = Self::audit_of(spec, payment.cost);
        let beside = T::Bounty::get().saturating_add(T::Deposit::get()).saturating_add(audit);
        let total = payment.total().and_then(|total| total.checked_add(beside));
        ensure!(total.is_some(), Error::<T>::PaymentOverflow);
        Ok(())
    }

    pub(crate) fn do_raise_payment(
        client: &T::AccountId,
        id: &JobId,
        more: Payment,
    ) -> DispatchResult {
        let mut job = Self::job_of(client, id)?;
        ensure!(matches!(job.state, JobState::Open { .. }), Error::<T>::JobNotOpen);
        let payment = sum(&job.payment, &more).ok_or(Error::<T>::PaymentOverflow)?;
        Self::ensure_payable(&job.spec, &payment)?;
        T::Escrow::raise(id, more)?;
        if job.spec.audit {
            let before = Self::audit_of(&job.spec, job.payment.cost);
            let audit = Self::audit_of(&job.spec, payment.cost).saturating_sub(before);
            T::Escrow::hold_audit(id, audit)?;
        }
        job.payment = payment;
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::PaymentRaised { job: *id, payment });
        Ok(())
    }

    pub(crate) fn do_cancel(client: &T::AccountId, id: &JobId) -> DispatchResult {
        let job = Self::job_of(client, id)?;
        ensure!(matches!(job.state, JobState::Open { .. }), Error::<T>::JobNotOpen);
        // A job that was never drawn then takes the first try of no other.
        FirstTryEntries::<T>::remove(Self::first_try_after(job.created).max(job.opens()), id);
        Self::end_unserved(id, job, Outcome::Cancelled, None);
        Ok(())
    }

    pub(crate) fn do_confirm_received(client: &T::AccountId, id: &JobId) -> DispatchResult {
        let job = Self::job_of(client, id)?;
        let delivery = Self::ensure_unaudited(&job)?;
        Self::end_accepted(id, job, delivery, Found::NOTHING, None);
        Ok(())
    }

    /// A job of that client.
    fn job_of(client: &T::AccountId, id: &JobId) -> Result<Job<T::AccountId>, Error<T>> {
        let job = Jobs::<T>::get(id).ok_or(Error::<T>::JobNotFound)?;
        ensure!(job.client == *client, Error::<T>::NotTheClient);
        Ok(job)
    }
}

/// The sum of two payments; `None` where a part overflows.
fn sum(one: &Payment, other: &Payment) -> Option<Payment> {
    Some(Payment {
        down: one.down.checked_add(other.down)?,
        cost: one.cost.checked_add(other.cost)?,
        tip: one.tip.checked_add(other.tip)?,
    })
}

/// Whether the bytes can be a libp2p peer id: empty for any peer, or a multihash, which is an
/// identity (code 0) or a SHA2-256 (code 0x12) whose length stands in its second byte.
fn is_peer_id(peer: &PeerIdBytes) -> bool {
    match peer.as_slice() {
        [] => true,
        [0x00 | 0x12, length, digest @ ..] => {
            !digest.is_empty() && usize::from(*length) == digest.len()
        }
        _ => false,
    }
}
