// SPDX-License-Identifier: Apache-2.0
//! Draws of the real pallets on the genesis of the development network, for tests.

#[path = "../../../../runtime/tests/chain/mod.rs"]
mod chain;

use super::{
    evidence::{Evidence, SpanBlock},
    output::Epoch,
    snapshot::Snapshot,
    timeline::Wait,
};
use assay_primitives::{
    traits::BlockRandomness, BlockNumber, FinishReason, JobId, JobSpec, JobState, OutputCommitment,
    Payment, Verdict,
};
use assay_runtime::{
    configs::Randomness,
    parameters::{dynamic_params::verification, RuntimeParametersKey, RuntimeParametersValue},
    presets, AccountId, Babe, Header, Runtime, System, Verification, UNIT,
};
use frame_support::{
    storage::unhashed,
    traits::{Get, Hooks},
    BoundedVec,
};
use pallet_jobs::Job;
use pallet_verification::{
    AgendaCursor, AgendaEntries, Audit, Audits, Ballot, Records, Seat, Span, Stage, WHOLE,
};
use sp_consensus_babe::{
    digests::{CompatibleDigestItem, PreDigest, PrimaryPreDigest, SecondaryPlainPreDigest},
    make_vrf_sign_data,
};
use sp_core::{crypto::VrfSecret, storage::well_known_keys, H256};
use sp_crypto_hashing::twox_128;
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::Header as _, Digest, DigestItem, Permill};

/// The block of the delivery.
const DELIVERED: BlockNumber = 100;

/// Lets operators with a long record go without an audit, as no development network does.
fn lower_the_floor() {
    let key = verification::ParametersKey::AuditFloor(verification::AuditFloor);
    let value = verification::ParametersValue::AuditFloor(Permill::from_percent(13));
    pallet_parameters::Parameters::<Runtime>::insert(
        RuntimeParametersKey::Verification(key),
        RuntimeParametersValue::Verification(value),
    );
}

/// Returns an epoch with one authority.
pub fn epoch() -> Epoch {
    let author = Sr25519Keyring::Alice.public().into();
    Epoch { index: 3, randomness: [7; 32], authorities: vec![(author, 1)] }
}

/// Returns the header of a block that the authority made.
pub fn header(number: BlockNumber) -> Header {
    let epoch = epoch();
    let slot = (1_000 + u64::from(number)).into();
    let data = make_vrf_sign_data(&epoch.randomness, slot, epoch.index);
    let vrf_signature = Sr25519Keyring::Alice.pair().vrf_sign(&data);
    let digest = PreDigest::Primary(PrimaryPreDigest { authority_index: 0, slot, vrf_signature });
    made_with(number, digest)
}

/// Returns the header of a block that the authority made in a slot without a VRF.
pub fn header_without_vrf(number: BlockNumber) -> Header {
    let slot = (1_000 + u64::from(number)).into();
    let digest = SecondaryPlainPreDigest { authority_index: 0, slot };
    made_with(number, PreDigest::SecondaryPlain(digest))
}

fn made_with(number: BlockNumber, digest: PreDigest) -> Header {
    let digest = Digest { logs: vec![DigestItem::babe_pre_digest(digest)] };
    Header::new(number, H256::zero(), H256::zero(), H256::zero(), digest)
}

/// Returns the randomness that the real pallets record of that block.
pub fn beacon_output(number: BlockNumber) -> H256 {
    let put = |item: &str, value: &[u8]| {
        unhashed::put_raw(&[twox_128(b"Babe"), twox_128(item.as_bytes())].concat(), value);
    };
    TestExternalities::default().execute_with(|| {
        let epoch = epoch();
        put("EpochIndex", &codec::Encode::encode(&epoch.index));
        put("Randomness", &codec::Encode::encode(&epoch.randomness));
        put("Authorities", &codec::Encode::encode(&epoch.authorities));
        put("GenesisSlot", &codec::Encode::encode(&1u64));
        System::set_block_number(number - 1);
        System::initialize(&number, &H256::zero(), &header(number).digest);
        Babe::on_initialize(number);
        Babe::on_finalize(number);
        Randomness::of_parent().expect("the block has an output")
    })
}

/// Returns the operator of the job.
pub fn operator() -> AccountId {
    presets::DEVELOPMENT_OPERATORS[0].to_account_id()
}

/// Returns the first draw of a job that asks for its audit, of an operator whose jobs are audited at the
/// lowest rate.
pub fn on_request() -> Evidence {
    let job = Job { spec: JobSpec { audit: true, ..delivered().spec }, ..delivered() };
    made_of(job, JobId::repeat_byte(1), 1_000_000, 0, Audit::new)
}

/// Returns the draw of the jury of a challenge by an operator, to which another has delegated.
pub fn challenged() -> Evidence {
    let mut job = delivered();
    if let JobState::Delivered { challenger, .. } = &mut job.state {
        *challenger = Some(presets::DEVELOPMENT_OPERATORS[1].to_account_id());
    }
    let audit = |span| Audit { stage: Stage::Challenge, ..Audit::new(span) };
    made_of(job, JobId::repeat_byte(1), 1_000_000, 0, audit)
}

/// Returns the first draw of a job's audit, of an operator of which nothing is known.
pub fn draw() -> Evidence {
    made(JobId::repeat_byte(1), 0, 0, Audit::new)
}

/// Returns that draw so late that the chain does not have the outputs any more that it waited for.
pub fn late_draw() -> Evidence {
    let depth = <Runtime as pallet_beacon::Config>::Depth::get();
    made(JobId::repeat_byte(1), 0, depth, Audit::new)
}

/// Returns the first draw of a job of an operator whose jobs are audited at the lowest rate. The audit is
/// due or not.
pub fn rare(due: bool) -> Evidence {
    let is_due = |evidence: &Evidence| evidence.recorded() != super::evidence::Act::NotAudited;
    let all = (0..).map(|n| made(JobId::from_low_u64_be(n), 1_000_000, 0, Audit::new));
    all.into_iter().find(|evidence| is_due(evidence) == due).expect("some job is")
}

/// Returns the draw after a committee has accepted. The second look is due or not.
pub fn second_look(due: bool) -> Evidence {
    let heard: Vec<_> = presets::DEVELOPMENT_OPERATORS[1..4]
        .iter()
        .map(|who| Seat {
            verifier: who.to_account_id(),
            stage: Stage::Committee,
            draw: 0,
            ballot: Ballot::Revealed { verdict: Verdict::Accept { digest_root: H256::zero() } },
        })
        .collect();
    let audit = |span| Audit {
        stage: Stage::SecondLook,
        draws: 1,
        heard: heard.clone().try_into().unwrap(),
        ..Audit::new(span)
    };
    let is_due = |evidence: &Evidence| evidence.recorded() != super::evidence::Act::Stands;
    let all = (0..).map(|n| made(JobId::from_low_u64_be(n), 0, 0, audit));
    all.into_iter().find(|evidence| is_due(evidence) == due).expect("some job is")
}

/// Lets the real pallet make a draw that is so many blocks late, and returns all about it.
fn made(
    job: JobId,
    record: u32,
    late: BlockNumber,
    audit: impl Fn(Span) -> Audit<AccountId>,
) -> Evidence {
    made_of(delivered(), job, record, late, audit)
}

/// Does the same for that record of a job.
fn made_of(
    stored: Job<AccountId>,
    job: JobId,
    record: u32,
    late: BlockNumber,
    audit: impl Fn(Span) -> Audit<AccountId>,
) -> Evidence {
    let genesis = chain::genesis(presets::development());
    TestExternalities::new(genesis).execute_with(|| {
        let draw_blocks = <Runtime as pallet_verification::Config>::DrawBlocks::get();
        let waited = Span::after(DELIVERED, draw_blocks);
        let block = waited.known() + late;
        let span = if late == 0 { waited } else { Span::before(block, draw_blocks) };
        let blocks: Vec<SpanBlock> = span
            .blocks()
            .map(|number| {
                let header = header(number);
                let output = super::output::of(&header, &epoch()).unwrap();
                pallet_beacon::Outputs::<Runtime>::insert(number, output.unwrap());
                SpanBlock { header, epoch: epoch(), recorded: output }
            })
            .collect();
        pallet_jobs::Jobs::<Runtime>::insert(job, stored);
        Records::<Runtime>::insert(operator(), u64::from(record) * WHOLE);
        lower_the_floor();
        Audits::<Runtime>::insert(job, audit(waited));
        AgendaEntries::<Runtime>::insert(waited.known(), job, ());
        AgendaCursor::<Runtime>::put(waited.known());
        let before = state();
        System::set_block_number(block);
        System::reset_events();
        Verification::on_initialize(block);
        Evidence {
            job,
            wait: Wait { since: DELIVERED, after: DELIVERED, span: waited, ended: Some(block) },
            block,
            draw_blocks,
            span,
            blocks,
            before,
            events: System::events(),
            waits_again: false,
        }
    })
}

/// Returns a job that waits for the draw that decides on its audit.
fn delivered() -> Job<AccountId> {
    let spec = JobSpec { model: presets::TINY_MODEL, ..assay_primitives::testing::spec() };
    let commitment = OutputCommitment {
        output_hash: H256::repeat_byte(8),
        digest_commitment: H256::repeat_byte(9),
        tokens: 8,
        finish: FinishReason::Length,
    };
    Job {
        client: Sr25519Keyring::Ferdie.to_account_id(),
        spec,
        payment: Payment { down: 0, cost: UNIT, tip: 0 },
        created: DELIVERED - 10,
        since: DELIVERED - 10,
        drawn: BoundedVec::new(),
        unserved: 0,
        declined: BoundedVec::new(),
        routed: true,
        state: JobState::Delivered {
            operator: operator(),
            prices: presets::TINY_PRICES,
            commitment,
            took: 2,
            audit: true,
            challenger: None,
            until: DELIVERED + 100,
        },
    }
}

/// Returns the whole state.
fn state() -> Snapshot {
    let mut snapshot = Snapshot::default();
    let mut key = Vec::new();
    while let Some(next) = sp_io::storage::next_key(&key) {
        if next != well_known_keys::CODE {
            let value = sp_io::storage::get(&next).expect("the key has a value");
            snapshot.add([(next.clone(), value.to_vec())]);
        }
        key = next;
    }
    snapshot
}
