// SPDX-License-Identifier: Apache-2.0
//! Benchmarks of the calls, the reports and the hooks, each on its most expensive path.

use crate::{
    types::{Audit, Phase, Stage},
    Audits, Call, Chunks, Config, Obsolete, Pallet,
};
use alloc::vec::Vec;
use assay_primitives::{
    agenda::MAX_PASSES,
    benchmarking::{BenchmarkHelper, DeliveredJobs},
    job::{JobId, ModelId},
    publication::{ChunkBytes, Part, CHUNK_BYTES, MAX_CHUNKS},
    reason::{RejectReason, VacateReason},
    report::Report,
    settlement::AuditOutcome,
    traits::{AuditedJobs, Auditor, Duties},
    verdict::{verdict_hash, Verdict},
    Balance, BlockNumber,
};
use frame_benchmarking::v2::*;
use frame_support::{traits::Get, weights::WeightMeter};
use frame_system::RawOrigin;
use sp_core::H256;
use sp_runtime::SaturatedConversion;

/// The price per token of the operators of benchmarks, as [`DeliveredJobs`] has it.
const PRICE: Balance = 1_000;
const ACCEPT: Verdict = Verdict::Accept { digest_root: H256::zero() };
const REJECT: Verdict = Verdict::Reject { position: 0, reason: RejectReason::Integrity };

fn model() -> ModelId {
    H256::repeat_byte(1)
}

fn advance_by<T: Config>(blocks: BlockNumber) {
    let block = Pallet::<T>::now().saturating_add(blocks);
    frame_system::Pallet::<T>::set_block_number(block.saturated_into());
}

fn audit<T: Config>(job: &JobId) -> Audit<T::AccountId> {
    Audits::<T>::get(job).expect("begun by the benchmark")
}

/// A job whose draw is due in this block, with `operators` operators.
fn drawing<T: Config>(operators: u32) -> JobId {
    drawing_among::<T>(operators).0
}

/// The same, with the operators. The first one has run the job.
fn drawing_among<T: Config>(operators: u32) -> (JobId, Vec<T::AccountId>) {
    advance_by::<T>(1);
    let client = T::BenchmarkHelper::client(0);
    let operators = T::BenchmarkHelper::operators(&model(), PRICE, operators);
    T::BenchmarkHelper::set_randomness(H256::repeat_byte(9));
    let operator = operators.first().expect("there is one");
    let job = T::BenchmarkJobs::delivered(&client, operator, &model());
    Pallet::<T>::delivered(&job, operator);
    advance_by::<T>(T::DrawBlocks::get().saturating_add(1));
    (job, operators)
}

/// A job that is not audited, with an operator that can challenge its output.
fn challengeable<T: Config>() -> (JobId, T::AccountId) {
    let (job, operators) = drawing_among::<T>(2);
    let other = operators.last().cloned().expect("there are two");
    Pallet::<T>::conclude(&job, AuditOutcome::NotAudited, Vec::new(), 0, 0);
    (job, other)
}

/// A job whose committee is full and committing, with the committee.
fn committing<T: Config>() -> (JobId, Vec<T::AccountId>) {
    let all = T::CommitteeSize::get().saturating_add(T::JurySize::get()).saturating_add(1);
    let job = drawing::<T>(all);
    draw::<T>(&job);
    let committee = Pallet::<T>::committee(&job);
    assert_eq!(committee.len(), T::CommitteeSize::get() as usize);
    (job, committee)
}

/// Makes the draw that the audit waits for.
fn draw<T: Config>(job: &JobId) {
    Pallet::<T>::draw(job, audit::<T>(job), Pallet::<T>::now());
}

/// A job whose committee has accepted but for one, and whose full jury has committed to these
/// verdicts, with the jury.
fn judging<T: Config>(verdicts: &[Verdict]) -> (JobId, Vec<T::AccountId>) {
    let (job, committee) = committing::<T>();
    for (place, verifier) in committee.iter().enumerate() {
        commit::<T>(&job, verifier, if place == 0 { &REJECT } else { &ACCEPT });
    }
    for (place, verifier) in committee.iter().enumerate() {
        reveal::<T>(&job, verifier, if place == 0 { REJECT } else { ACCEPT });
    }
    advance_by::<T>(T::DrawBlocks::get().saturating_add(1));
    draw::<T>(&job);
    let jury = Pallet::<T>::committee(&job);
    assert_eq!(jury.len(), T::JurySize::get() as usize);
    for (juror, verdict) in jury.iter().zip(verdicts) {
        commit::<T>(&job, juror, verdict);
    }
    (job, jury)
}

fn commit<T: Config>(job: &JobId, verifier: &T::AccountId, verdict: &Verdict) {
    let audit = audit::<T>(job);
    let seat = audit.seats.iter().find(|seat| seat.verifier == *verifier).expect("it has a seat");
    let hash = verdict_hash(job, seat.draw, verifier, verdict, &H256::zero());
    report::<T>(verifier, Report::CommitVerdict { job: *job, hash });
}

fn reveal<T: Config>(job: &JobId, verifier: &T::AccountId, verdict: Verdict) {
    report::<T>(verifier, Report::RevealVerdict { job: *job, verdict, salt: H256::zero() });
}

fn report<T: Config>(verifier: &T::AccountId, report: Report) {
    Pallet::<T>::handle(verifier, &report).expect("of this pallet").expect("in order");
}

/// Returns the verdicts of a jury that rejects with the smallest majority.
fn verdicts<T: Config>() -> Vec<Verdict> {
    let minority = T::JurySize::get() / 2;
    (0..T::JurySize::get()).map(|n| if n < minority { ACCEPT } else { REJECT }).collect()
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// A jury rejects with the smallest majority; the minority has not revealed, and some of the
    /// committee are contradicted.
    #[benchmark]
    fn advance() {
        let verdicts = verdicts::<T>();
        let (job, jury) = judging::<T>(&verdicts);
        for (juror, verdict) in jury.iter().zip(&verdicts) {
            if *verdict == REJECT {
                reveal::<T>(&job, juror, *verdict);
            }
        }
        advance_by::<T>(T::RevealWindow::get().saturating_add(1));
        let caller: T::AccountId = whitelisted_caller();

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), job);

        assert!(!Audits::<T>::contains_key(job));
    }

    /// The last commit, which opens the reveals.
    #[benchmark]
    fn commit_verdict() {
        let (job, committee) = committing::<T>();
        let (last, others) = committee.split_last().expect("a committee has members");
        for verifier in others {
            commit::<T>(&job, verifier, &REJECT);
        }

        #[block]
        {
            commit::<T>(&job, last, &REJECT);
        }

        assert!(matches!(audit::<T>(&job).phase, Phase::Revealing { .. }));
    }

    /// The last reveal of a jury, after which the operator and all verifiers that contradict are
    /// slashed.
    #[benchmark]
    fn reveal_verdict() {
        let verdicts = verdicts::<T>();
        let (job, jury) = judging::<T>(&verdicts);
        let (last, others) = jury.split_last().expect("a jury has members");
        for (juror, verdict) in others.iter().zip(verdicts) {
            reveal::<T>(&job, juror, verdict);
        }

        #[block]
        {
            reveal::<T>(&job, last, REJECT);
        }

        assert!(!Audits::<T>::contains_key(job));
    }

    /// The last seat that is vacated, after which verifiers are drawn again.
    #[benchmark]
    fn vacate() {
        let (job, committee) = committing::<T>();
        let (last, others) = committee.split_last().expect("a committee has members");
        for verifier in others {
            commit::<T>(&job, verifier, &ACCEPT);
        }

        #[block]
        {
            report::<T>(last, Report::Vacate { job, reason: VacateReason::Resource });
        }

        assert!(matches!(audit::<T>(&job).phase, Phase::Drawing { .. }));
    }

    /// The chunk that completes a payload of the most chunks.
    #[benchmark]
    fn publish() {
        let job = drawing::<T>(1);
        let subject = T::Jobs::subject(&job).expect("it is delivered");
        let mut audit = audit::<T>(&job);
        audit.draws = 1;
        Pallet::<T>::produce(&job, audit, &subject.operator);
        let bytes = ChunkBytes::truncate_from(alloc::vec![1; CHUNK_BYTES as usize]);
        let last = MAX_CHUNKS.saturating_sub(1);
        for index in 0..last {
            let (operator, bytes) = (&subject.operator, bytes.clone());
            Pallet::<T>::do_publish(operator, &job, Part::Request, index, false, bytes)
                .expect("it is in order");
        }

        #[block]
        {
            // All chunks are hashed, and the hash is not the job's.
            let published =
                Pallet::<T>::do_publish(&subject.operator, &job, Part::Request, last, true, bytes);
            assert!(published.is_err());
        }
    }

    /// The only chunk of a publication that is over, with which that is forgotten.
    #[benchmark]
    fn remove_chunk() {
        let job = drawing::<T>(1);
        let operator = T::Jobs::subject(&job).expect("it is delivered").operator;
        let mut audit = audit::<T>(&job);
        audit.draws = 1;
        Pallet::<T>::produce(&job, audit, &operator);
        let bytes = ChunkBytes::truncate_from(alloc::vec![1; CHUNK_BYTES as usize]);
        Pallet::<T>::do_publish(&operator, &job, Part::Transcript, 0, false, bytes)
            .expect("it is in order");
        Pallet::<T>::forget_publication(&job);
        let mut meter = WeightMeter::new();

        #[block]
        {
            Pallet::<T>::remove_obsolete(&mut meter);
        }

        assert!(!Obsolete::<T>::contains_key(job));
        assert!(!Chunks::<T>::contains_key(job, (Part::Transcript, 0)));
    }

    /// An operator challenges an output, and reserves its bond.
    #[benchmark]
    fn challenge() {
        let (job, challenger) = challengeable::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(challenger), job);

        assert_eq!(audit::<T>(&job).stage, Stage::Challenge);
    }

    /// As many blocks as can be are passed, with nothing in them.
    #[benchmark]
    fn on_initialize() {
        advance_by::<T>(MAX_PASSES);
        let moved;

        #[block]
        {
            moved = Pallet::<T>::work_off(Pallet::<T>::now());
        }

        assert_eq!(moved, Default::default());
    }

    /// The draw of a committee out of as many operators as are needed.
    #[benchmark]
    fn draw() {
        let job = drawing::<T>(T::CommitteeSize::get().saturating_add(1));
        let now = Pallet::<T>::now();
        crate::AgendaCursor::<T>::put(now);

        #[block]
        {
            Pallet::<T>::work_off(now);
        }

        assert!(matches!(audit::<T>(&job).phase, Phase::Committing { .. }));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
