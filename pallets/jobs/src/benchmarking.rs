// SPDX-License-Identifier: Apache-2.0
//! Benchmarks of the calls, the reports and the hooks, each on its most expensive path.

use crate::{types::MAX_ATTEMPTS, Call, Config, Job, JobsOfOperator, Pallet};
use alloc::vec;
use assay_primitives::{
    agenda::MAX_PASSES,
    benchmarking::{BenchmarkHelper, DeliveredJobs},
    job::{
        FinishReason, JobId, JobSpec, JobState, ModelId, NumericProfile, OutputCommitment, Payment,
        PeerIdBytes, Privacy, Sampling, Verification, MAX_ALLOWED_OPERATORS,
    },
    reason::DeclineReason,
    report::Report,
    settlement::AuditOutcome,
    traits::{AuditedJobs, Duties, Duty, Escrow, Operators},
    Balance, BlockNumber, Prices,
};
use frame_benchmarking::v2::*;
use frame_support::{traits::Get, weights::WeightMeter, BoundedVec};
use frame_system::RawOrigin;
use sp_core::H256;
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    SaturatedConversion,
};

/// The price per token that the operators of benchmarks ask.
const PRICE: Balance = 1_000;
/// The prices of these operators.
const PRICES: Prices = Prices { input: PRICE, output: PRICE };
/// The most tokens of their outputs.
const TOKENS: u32 = 100;
/// The tokens of their prompts.
const INPUT_TOKENS: u32 = 10;

fn model() -> ModelId {
    H256::repeat_byte(1)
}

/// As long as a specification can be; the operators that are drawn must be among the allowed ones.
fn spec<T: Config>(
    model: &ModelId,
    operators: &[T::AccountId],
    deadline: BlockNumber,
) -> JobSpec<T::AccountId> {
    let mut peer = vec![0x00, 62];
    peer.extend([7; 62]);
    let allowed = operators.iter().take(MAX_ALLOWED_OPERATORS as usize).cloned().collect();
    JobSpec {
        model: *model,
        request_hash: H256::repeat_byte(2),
        input_tokens: INPUT_TOKENS,
        max_tokens: TOKENS,
        seed: 1,
        sampling: Sampling::GREEDY,
        profile: NumericProfile::N1,
        not_before: 0,
        deadline,
        privacy: Privacy::Public,
        output_key: None,
        peer: PeerIdBytes::truncate_from(peer),
        allowed: BoundedVec::truncate_from(allowed),
        verification: Verification::IfPossible,
        audit: false,
        referrer: operators.first().cloned(),
    }
}

/// A payment with all its parts, of which the cost is what a job of these operators costs at most.
fn payment<T: Config>() -> Payment {
    let cost = Pallet::<T>::cost_at(PRICES, INPUT_TOKENS, TOKENS);
    Payment { down: 50_000, cost, tip: 10_000 }
}

fn commitment() -> OutputCommitment {
    OutputCommitment {
        output_hash: H256::repeat_byte(3),
        digest_commitment: BlakeTwo256::hash(H256::zero().as_bytes()),
        tokens: TOKENS,
        finish: FinishReason::Length,
    }
}

fn advance_to<T: Config>(block: BlockNumber) {
    frame_system::Pallet::<T>::set_block_number(block.saturated_into());
}

fn job<T: Config>(id: &JobId) -> Job<T::AccountId> {
    crate::Jobs::<T>::get(id).expect("created by the benchmark")
}

fn create<T: Config>(client: &T::AccountId, model: &ModelId, allowed: &[T::AccountId]) -> JobId {
    let spec = spec::<T>(model, allowed, T::MaxDeadline::get());
    let id = Pallet::<T>::next_job_id(client, &spec);
    Pallet::<T>::create(RawOrigin::Signed(client.clone()).into(), spec, payment::<T>())
        .expect("the client can pay and the model is served");
    id
}

/// A job that is assigned, with its client and its operator.
fn assigned<T: Config>() -> (JobId, T::AccountId, T::AccountId) {
    advance_to::<T>(1);
    let client = T::BenchmarkHelper::client(0);
    let operators = T::BenchmarkHelper::operators(&model(), PRICE, 1);
    T::BenchmarkHelper::set_randomness(H256::repeat_byte(9));
    let id = create::<T>(&client, &model(), &operators);
    let due = Pallet::<T>::first_try();
    advance_to::<T>(due);
    assert_eq!(Pallet::<T>::assign_due(due), 1);
    let JobState::Assigned { operator, .. } = job::<T>(&id).state else {
        panic!("nobody was drawn")
    };
    (id, client, operator)
}

fn running<T: Config>() -> (JobId, T::AccountId, T::AccountId) {
    let (id, client, operator) = assigned::<T>();
    report::<T>(&operator, Report::Accept { job: id });
    (id, client, operator)
}

/// A job that is delivered and not audited, with its client.
fn waived<T: Config>() -> (JobId, T::AccountId) {
    let (id, client, operator) = running::<T>();
    report::<T>(&operator, Report::CommitOutput { job: id, commitment: commitment() });
    Pallet::<T>::conclude(&id, AuditOutcome::NotAudited, &[], 0, 0);
    (id, client)
}

fn report<T: Config>(operator: &T::AccountId, report: Report) {
    Pallet::<T>::handle(operator, &report).expect("of this pallet").expect("in order");
}

/// As many operators were drawn for the job as can be.
fn spend_attempts<T: Config>(id: &JobId, operator: &T::AccountId) {
    crate::Jobs::<T>::mutate(id, |job| {
        let job = job.as_mut().expect("assigned");
        job.drawn = BoundedVec::truncate_from(vec![operator.clone(); MAX_ATTEMPTS as usize]);
    });
}

fn is_settled<T: Config>(id: &JobId) -> bool {
    matches!(job::<T>(id).state, JobState::Settled(_))
}

impl<T: Config> DeliveredJobs<T::AccountId> for Pallet<T> {
    fn delivered(client: &T::AccountId, operator: &T::AccountId, model: &ModelId) -> JobId {
        let id = create::<T>(client, model, core::slice::from_ref(operator));
        let mut job = job::<T>(&id);
        let bond = Self::bond_of(Self::reward_at(&job, PRICES));
        T::Operators::reserve(operator, Duty::Run(id), bond).expect("the operator has stake");
        T::Operators::free_slot(operator, Duty::Run(id));
        T::Operators::reward(operator, T::Escrow::draw_down(&id, operator));
        job.drawn = BoundedVec::truncate_from(vec![operator.clone()]);
        job.spec.verification = Verification::Required;
        job.state = JobState::Delivered {
            operator: operator.clone(),
            prices: PRICES,
            commitment: commitment(),
            took: 1,
            audit: true,
            challenger: None,
            until: Self::now().saturating_add(T::ChallengeWindow::get()),
        };
        Self::put(&id, job);
        id
    }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn create() {
        let client = T::BenchmarkHelper::client(0);
        let operators = T::BenchmarkHelper::operators(&model(), PRICE, MAX_ALLOWED_OPERATORS);
        let spec = JobSpec {
            verification: Verification::Required,
            audit: true,
            ..spec::<T>(&model(), &operators, T::MaxDeadline::get())
        };
        let id = Pallet::<T>::next_job_id(&client, &spec);

        #[extrinsic_call]
        _(RawOrigin::Signed(client), spec, payment::<T>());

        assert!(matches!(job::<T>(&id).state, JobState::Open { .. }));
    }

    #[benchmark]
    fn raise_payment() {
        let client = T::BenchmarkHelper::client(0);
        let operators = T::BenchmarkHelper::operators(&model(), PRICE, 1);
        let id = super::create::<T>(&client, &model(), &operators);
        let before = job::<T>(&id).payment;
        crate::Jobs::<T>::mutate_extant(id, |job| job.spec.audit = true);

        #[extrinsic_call]
        _(RawOrigin::Signed(client), id, payment::<T>());

        assert_eq!(job::<T>(&id).payment.tip, 2 * before.tip);
    }

    #[benchmark]
    fn cancel() {
        let client = T::BenchmarkHelper::client(0);
        let operators = T::BenchmarkHelper::operators(&model(), PRICE, 1);
        let id = super::create::<T>(&client, &model(), &operators);

        #[extrinsic_call]
        _(RawOrigin::Signed(client), id);

        assert!(is_settled::<T>(&id));
    }

    #[benchmark]
    fn confirm_received() {
        let (id, client) = waived::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(client), id);

        assert!(is_settled::<T>(&id));
    }

    #[benchmark]
    fn settle() {
        let (id, _) = waived::<T>();
        let caller = T::BenchmarkHelper::client(1);
        advance_to::<T>(Pallet::<T>::due(&job::<T>(&id)).saturating_add(1));

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), id);

        assert!(is_settled::<T>(&id));
    }

    /// A running job after the last attempt: its operator is fined, and the caller gets the bounty.
    #[benchmark]
    fn expire() {
        let (id, _, operator) = running::<T>();
        spend_attempts::<T>(&id, &operator);
        let caller = T::BenchmarkHelper::client(1);
        advance_to::<T>(Pallet::<T>::due(&job::<T>(&id)).saturating_add(1));

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), id);

        assert!(is_settled::<T>(&id));
    }

    #[benchmark]
    fn accept() {
        let (id, _, operator) = assigned::<T>();

        #[block]
        {
            report::<T>(&operator, Report::Accept { job: id });
        }

        assert!(matches!(job::<T>(&id).state, JobState::Running { .. }));
    }

    /// The last attempt: the job expires.
    #[benchmark]
    fn decline() {
        let (id, _, operator) = assigned::<T>();
        spend_attempts::<T>(&id, &operator);
        let reason = DeclineReason::Resource;

        #[block]
        {
            report::<T>(&operator, Report::Decline { job: id, reason });
        }

        assert!(is_settled::<T>(&id));
    }

    #[benchmark]
    fn commit_output() {
        let (id, _, operator) = running::<T>();

        #[block]
        {
            report::<T>(&operator, Report::CommitOutput { job: id, commitment: commitment() });
        }

        assert!(matches!(job::<T>(&id).state, JobState::Delivered { .. }));
    }

    /// Seeks operators for jobs that name theirs, whose records are the largest. Jobs that are open to
    /// all cost no more.
    #[benchmark]
    fn on_initialize(n: Linear<0, { T::MaxAssignmentsPerBlock::get() }>) {
        // As many blocks are passed as can be: the jobs are in the last of their agenda that is visited.
        let due = T::MaxAssignmentsPerBlock::get().min(MAX_PASSES - 1);
        let now = T::MaxFirstTriesPerBlock::get().min(MAX_PASSES - 1).max(due);
        advance_to::<T>(due.saturating_sub(Pallet::<T>::first_try_after(0)));
        let client = T::BenchmarkHelper::client(0);
        let operators = T::BenchmarkHelper::operators(&model(), PRICE, MAX_ALLOWED_OPERATORS);
        T::BenchmarkHelper::set_randomness(H256::repeat_byte(9));
        for _ in 0..n {
            super::create::<T>(&client, &model(), &operators);
        }
        advance_to::<T>(now);

        #[block]
        {
            Pallet::<T>::assign_due(now);
        }

        assert_eq!(JobsOfOperator::<T>::iter().count(), n as usize);
    }

    /// As many blocks as can be are passed, with nothing in them.
    #[benchmark]
    fn on_idle() {
        #[block]
        {
            Pallet::<T>::work_off_deadlines(MAX_PASSES, &mut WeightMeter::new());
        }

        assert_eq!(crate::DeadlineCursor::<T>::get(), MAX_PASSES);
    }

    /// A running job: its operator is fined, and another sought.
    #[benchmark]
    fn work_off_deadline() {
        let (id, _, _) = running::<T>();
        let now = Pallet::<T>::due(&job::<T>(&id));
        advance_to::<T>(now);
        crate::DeadlineCursor::<T>::put(now);

        #[block]
        {
            Pallet::<T>::work_off_deadlines(now, &mut WeightMeter::new());
        }

        assert!(matches!(job::<T>(&id).state, JobState::Open { .. }));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
