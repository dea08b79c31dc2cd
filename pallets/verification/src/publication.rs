// SPDX-License-Identifier: Apache-2.0
//! Publishing what a jury could not fetch: the operator puts request and transcript on the chain, or
//! loses its bond.

use crate::{
    types::{Audit, Phase, Stage},
    Audits, Chunks, Config, Error, Event, Obsolete, Pallet, ProducingOf, Publications, WeightInfo,
};
use alloc::vec::Vec;
use assay_primitives::{
    job::JobId,
    publication::{ChunkBytes, NextChunk, Part, MAX_CHUNKS},
    settlement::AuditOutcome,
    traits::{AuditSubject, AuditedJobs, Duty, Escrow, Operators},
    Balance,
};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{dispatch::Pays, ensure, traits::Get, weights::WeightMeter};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    DispatchError,
};

/// The published part of one payload.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Progress {
    /// The number of chunks.
    pub chunks: u32,
    /// The number of their bytes.
    pub bytes: u32,
    /// Whether the payload is complete, and its hash was compared.
    pub complete: bool,
}

/// The published parts of a job's payloads.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Publication {
    /// The request.
    pub request: Progress,
    /// The transcript.
    pub transcript: Progress,
    /// The number of chunks that were published in all, those that were replaced among them.
    pub published: u32,
    /// The amount that the operator has paid for them out of its bond.
    pub burnt: Balance,
}

impl Publication {
    /// Returns what is published of a part.
    pub fn of(&self, part: Part) -> Progress {
        match part {
            Part::Request => self.request,
            Part::Transcript => self.transcript,
        }
    }

    fn set(&mut self, part: Part, progress: Progress) {
        match part {
            Part::Request => self.request = progress,
            Part::Transcript => self.transcript = progress,
        }
    }
}

/// The most chunks that can be published for a job, those that are replaced among them: twice what
/// both payloads can have.
const MOST_PUBLISHED: u32 = 4 * MAX_CHUNKS;

impl<T: Config> Pallet<T> {
    /// A jury is short of votes because some of it could not fetch what it had to check: the
    /// operator has to publish it. What the jury has voted stays.
    pub(crate) fn produce(job: &JobId, mut audit: Audit<T::AccountId>, operator: &T::AccountId) {
        Self::hear(job, &mut audit);
        let until = Self::now().saturating_add(T::ProduceWindow::get());
        audit.phase = Phase::Producing { until };
        ProducingOf::<T>::insert(operator, job, ());
        Publications::<T>::insert(job, Publication::default());
        Self::put(job, audit);
        Self::deposit_event(Event::PublicationDue { job: *job, operator: operator.clone(), until });
    }

    pub(crate) fn do_publish(
        who: &T::AccountId,
        job: &JobId,
        part: Part,
        index: u32,
        last: bool,
        bytes: ChunkBytes,
    ) -> Result<Pays, DispatchError> {
        let audit = Audits::<T>::get(job).ok_or(Error::<T>::AuditNotFound)?;
        let Phase::Producing { until } = audit.phase else {
            return Err(Error::<T>::NotProducing.into());
        };
        let subject = T::Jobs::subject(job).ok_or(Error::<T>::AuditNotFound)?;
        let operator = &subject.operator;
        let run = Duty::Run(*job);
        let allowed = who == operator || T::Operators::acts_for(who, operator, run);
        ensure!(allowed, Error::<T>::NotTheOperator);
        ensure!(Self::now() <= until, Error::<T>::DeadlineOver);
        let mut publication = Publications::<T>::get(job).unwrap_or_default();
        let Progress { chunks, bytes: before, complete } = publication.of(part);
        ensure!(!complete, Error::<T>::PartComplete);
        ensure!(index == 0 || index == chunks, Error::<T>::ChunkOutOfOrder);
        let fits = index < MAX_CHUNKS && publication.published < MOST_PUBLISHED;
        ensure!(fits, Error::<T>::PublicationTooLong);
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let price = T::PublicationPrice::get().saturating_mul(Balance::from(length));
        // At most half of the bond, so that there always is one. Dropped, and with that burnt.
        let most = T::Operators::reserved(operator, run) / 2;
        let burnt = T::Operators::seize(operator, run, price.min(most));
        // A chunk that the bond does not pay for, or that replaces another, pays the fee of any extrinsic.
        let is_paid = price > 0 && T::Escrow::value(&burnt) == price && (index > 0 || chunks == 0);
        publication.burnt = publication.burnt.saturating_add(T::Escrow::value(&burnt));
        drop(burnt);
        if index == 0 {
            // The first chunk begins the payload anew.
            (0..chunks).for_each(|old| Chunks::<T>::remove(job, (part, old)));
        }
        Chunks::<T>::insert(job, (part, index), bytes);
        let before = if index == 0 { 0 } else { before };
        let progress = Progress {
            chunks: index.saturating_add(1),
            bytes: before.saturating_add(length),
            complete: last,
        };
        publication.set(part, progress);
        publication.published = publication.published.saturating_add(1);
        if last {
            let whole = Self::assemble(job, part, progress);
            let hash = BlakeTwo256::hash(&whole);
            ensure!(hash == hash_of(&subject, part), Error::<T>::WrongPayload);
        }
        Publications::<T>::insert(job, publication);
        Self::deposit_event(Event::ChunkPublished { job: *job, part, index, last });
        if Part::ALL.into_iter().all(|part| publication.of(part).complete) {
            ProducingOf::<T>::remove(operator, job);
            Self::sit(job, audit, Stage::Published);
        }
        Ok(if is_paid { Pays::No } else { Pays::Yes })
    }

    /// The operator has not published everything in time: it loses its whole bond. What the panels
    /// have voted before costs nobody anything and pays nobody.
    pub(crate) fn end_withheld(job: &JobId, mut audit: Audit<T::AccountId>) {
        Self::dismiss(job, &mut audit);
        Self::conclude(job, AuditOutcome::Withheld, Vec::new(), 0, 0);
    }

    /// Ends the publication of a job. Its chunks are removed by and by.
    pub(crate) fn forget_publication(job: &JobId) {
        let Some(publication) = Publications::<T>::take(job) else { return };
        Obsolete::<T>::insert(job, publication);
        if let Some(AuditSubject { operator, .. }) = T::Jobs::subject(job) {
            ProducingOf::<T>::remove(operator, job);
        }
    }

    /// Removes chunks whose publications are over, as many as the weight allows.
    pub(crate) fn remove_obsolete(meter: &mut WeightMeter) {
        // Both to look for a publication and to remove a chunk weigh less than both together.
        let each = T::WeightInfo::remove_chunk();
        while meter.try_consume(each).is_ok() {
            let Some((job, mut publication)) = Obsolete::<T>::iter().next() else { return };
            for part in Part::ALL {
                let mut progress = publication.of(part);
                while progress.chunks > 0 && meter.try_consume(each).is_ok() {
                    progress.chunks = progress.chunks.saturating_sub(1);
                    Chunks::<T>::remove(job, (part, progress.chunks));
                }
                publication.set(part, progress);
            }
            if Part::ALL.into_iter().any(|part| publication.of(part).chunks > 0) {
                return Obsolete::<T>::insert(job, publication);
            }
            Obsolete::<T>::remove(job);
        }
    }

    /// Returns the payload of the job with that hash, if it is published completely.
    pub fn published(job: &JobId, hash: &H256) -> Option<Vec<u8>> {
        let publication = Publications::<T>::get(job)?;
        let subject = T::Jobs::subject(job)?;
        let wanted =
            |part: &Part| publication.of(*part).complete && hash_of(&subject, *part) == *hash;
        let part = Part::ALL.into_iter().find(wanted)?;
        Some(Self::assemble(job, part, publication.of(part)))
    }

    /// Returns the chunk that the operator has to publish next of each of its jobs, of the job that is
    /// due first before the others.
    pub(crate) fn chunks_due(operator: &T::AccountId) -> Vec<NextChunk> {
        let mut due: Vec<_> = ProducingOf::<T>::iter_key_prefix(operator)
            .filter_map(|job| {
                let Phase::Producing { until } = Audits::<T>::get(job)?.phase else { return None };
                (Self::now() < until).then_some((until, job))
            })
            .collect();
        due.sort_unstable();
        let next = |(_, job)| {
            let publication = Publications::<T>::get(job)?;
            let subject = T::Jobs::subject(&job)?;
            let part = Part::ALL.into_iter().find(|part| !publication.of(*part).complete)?;
            let Progress { chunks: index, bytes: offset, .. } = publication.of(part);
            Some(NextChunk { job, part, hash: hash_of(&subject, part), index, offset })
        };
        due.into_iter().filter_map(next).collect()
    }

    /// Returns the chunks of a part in a row.
    fn assemble(job: &JobId, part: Part, progress: Progress) -> Vec<u8> {
        (0..progress.chunks).fold(Vec::new(), |mut whole, index| {
            whole.extend(Chunks::<T>::get(job, (part, index)).unwrap_or_default());
            whole
        })
    }
}

/// Returns the hash that a part of the job must have.
fn hash_of<AccountId>(subject: &AuditSubject<AccountId>, part: Part) -> H256 {
    match part {
        Part::Request => subject.spec.request_hash,
        Part::Transcript => subject.commitment.output_hash,
    }
}
