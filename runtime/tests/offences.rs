// SPDX-License-Identifier: Apache-2.0
//! Equivocations in the real runtime: proven with real headers and votes, reported, and slashed.

mod chain;

use assay_runtime::{
    configs::Elections, presets, AccountId, Babe, Grandpa, Hash, Header, Historical, Operators,
    Runtime, RuntimeOrigin, Session, System, MINUTES,
};
use frame_support::{assert_noop, assert_ok, traits::KeyOwnerProofSystem};
use pallet_operators::Error;
use pallet_session::historical::SessionManager;
use sp_consensus_babe::{
    digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest},
    Slot,
};
use sp_consensus_grandpa::localized_payload;
use sp_core::{ed25519, sr25519, Pair};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::Header as _, DigestItem};
use sp_session::MembershipProof;

/// The bond of each operator of the local preset.
const BOND: u128 = 100_000 * assay_runtime::UNIT;

/// Returns a chain with three validators, each of them an operator.
fn chain() -> sp_io::TestExternalities {
    let mut chain = sp_io::TestExternalities::new(chain::genesis(presets::local()));
    chain.execute_with(|| System::set_block_number(1));
    chain
}

fn proof_of(key: impl Into<Vec<u8>>, id: sp_core::crypto::KeyTypeId) -> MembershipProof {
    Historical::prove((id, key.into())).expect("the key does not belong to a validator")
}

/// Reports two blocks that the validator authored in one slot.
fn report_blocks(who: Sr25519Keyring, slot: u64, owner: MembershipProof) -> Result<(), String> {
    let pair = sr25519::Pair::from_string(&who.to_seed(), None).unwrap();
    let authority_index = Babe::authorities()
        .iter()
        .position(|(id, _)| id.clone().into_inner() == pair.public())
        .expect("it is not an authority") as u32;
    let slot = Slot::from(slot);
    let sealed = |state_root: Hash| {
        let digest = PreDigest::SecondaryPlain(SecondaryPlainPreDigest { authority_index, slot });
        let mut header =
            Header::new(1, Default::default(), state_root, Default::default(), Default::default());
        header.digest_mut().push(DigestItem::babe_pre_digest(digest));
        let signature = pair.sign(header.hash().as_bytes()).into();
        header.digest_mut().push(DigestItem::babe_seal(signature));
        header
    };
    let proof = sp_consensus_babe::EquivocationProof {
        slot,
        offender: pair.public().into(),
        first_header: sealed(Hash::repeat_byte(1)),
        second_header: sealed(Hash::repeat_byte(2)),
    };
    Babe::report_equivocation_unsigned(RuntimeOrigin::none(), Box::new(proof), owner)
        .map(drop)
        .map_err(|error| format!("{:?}", error.error))
}

/// Reports two votes of the validator in one round.
fn report_votes(who: Sr25519Keyring, owner: MembershipProof) -> Result<(), String> {
    let pair = ed25519::Pair::from_string(&who.to_seed(), None).unwrap();
    let (round, set_id) = (5, 0);
    let vote = |target_hash: Hash| {
        let prevote = finality_grandpa::Prevote { target_hash, target_number: 9 };
        let message = finality_grandpa::Message::Prevote(prevote.clone());
        (prevote, pair.sign(&localized_payload(round, set_id, &message)).into())
    };
    let equivocation = finality_grandpa::Equivocation {
        round_number: round,
        identity: pair.public().into(),
        first: vote(Hash::repeat_byte(1)),
        second: vote(Hash::repeat_byte(2)),
    };
    let proof = sp_consensus_grandpa::EquivocationProof::new(
        set_id,
        sp_consensus_grandpa::Equivocation::Prevote(equivocation),
    );
    Grandpa::report_equivocation_unsigned(RuntimeOrigin::none(), Box::new(proof), owner)
        .map(drop)
        .map_err(|error| format!("{:?}", error.error))
}

fn babe_proof(who: Sr25519Keyring) -> MembershipProof {
    let pair = sr25519::Pair::from_string(&who.to_seed(), None).unwrap();
    proof_of(pair.public().0, sp_consensus_babe::KEY_TYPE)
}

fn grandpa_proof(who: Sr25519Keyring) -> MembershipProof {
    let pair = ed25519::Pair::from_string(&who.to_seed(), None).unwrap();
    proof_of(pair.public().0, sp_consensus_grandpa::KEY_TYPE)
}

fn pending(who: Sr25519Keyring) -> u128 {
    let view = Operators::view(&who.to_account_id()).expect("it is not an operator");
    view.slashes.iter().map(|slash| slash.amount).sum()
}

fn bonded(who: &AccountId) -> u128 {
    Operators::view(who).expect("it is not an operator").bonded
}

#[test]
fn two_blocks_of_a_slot_are_slashed_after_the_appeal() {
    chain().execute_with(|| {
        let alice = Sr25519Keyring::Alice;
        // Of three validators none is ever disabled, so that blocks are still finalised; of four,
        // one is.
        let dave = Sr25519Keyring::Dave.to_account_id();
        pallet_session::Validators::<Runtime>::mutate(|all| all.push(dave));
        assert_eq!(report_blocks(alice, 7, babe_proof(alice)), Ok(()));
        // The offender is one of four validators and loses nine sixteenths of its stake.
        assert_eq!(pending(alice), BOND / 16 * 9);
        let index = Session::validators().iter().position(|who| *who == alice.to_account_id());
        let disabled = Session::disabled_validators();
        assert_eq!(disabled, [index.expect("a validator") as u32], "the offender is not disabled");
        let caller = RuntimeOrigin::signed(Sr25519Keyring::Eve.to_account_id());
        assert_noop!(Operators::apply_slash(caller.clone(), 0), Error::<Runtime>::SlashNotDue);
        System::set_block_number(1 + MINUTES);
        assert_ok!(Operators::apply_slash(caller, 0));
        assert_eq!(bonded(&alice.to_account_id()), BOND / 16 * 7);
    });
}

#[test]
fn two_votes_of_a_round_are_slashed_and_governance_can_cancel_it() {
    chain().execute_with(|| {
        let bob = Sr25519Keyring::Bob;
        assert_eq!(report_votes(bob, grandpa_proof(bob)), Ok(()));
        assert_eq!(pending(bob), BOND);
        assert_ok!(Operators::cancel_slash(RuntimeOrigin::root(), 0));
        assert_eq!((pending(bob), bonded(&bob.to_account_id())), (0, BOND));
    });
}

#[test]
fn equivocation_is_reported_once() {
    chain().execute_with(|| {
        let alice = Sr25519Keyring::Alice;
        assert_eq!(report_blocks(alice, 7, babe_proof(alice)), Ok(()));
        let again = report_blocks(alice, 7, babe_proof(alice));
        assert!(again.unwrap_err().contains("DuplicateOffenceReport"));
        // An offence in another slot of the session adds nothing, since everything is already
        // slashed.
        assert_eq!(report_blocks(alice, 8, babe_proof(alice)), Ok(()));
        assert_eq!(pending(alice), BOND);
    });
}

#[test]
fn equivocation_of_another_key_is_refused() {
    chain().execute_with(|| {
        let (alice, bob) = (Sr25519Keyring::Alice, Sr25519Keyring::Bob);
        let refused = report_blocks(alice, 7, babe_proof(bob)).unwrap_err();
        assert!(refused.contains("InvalidKeyOwnershipProof"), "{refused}");
        assert_eq!((pending(alice), pending(bob)), (0, 0));
    });
}

#[test]
fn equivocation_of_a_session_long_past_is_refused() {
    chain().execute_with(|| {
        let alice = Sr25519Keyring::Alice;
        let proof = babe_proof(alice);
        // The roots of a day's sessions are kept, and earlier ones are forgotten.
        let roots = pallet_session::historical::HistoricalSessions::<Runtime>::iter_keys;
        assert!(roots().any(|session| session == 0));
        let kept = 144;
        for session in 2..=kept + 1 {
            <Elections as SessionManager<_, _>>::new_session(session);
        }
        pallet_session::historical::StoredRange::<Runtime>::put((0, kept + 2));
        <Elections as SessionManager<_, _>>::start_session(kept + 1);
        assert!(!roots().any(|session| session == 0));
        pallet_session::CurrentIndex::<Runtime>::put(kept + 1);
        let refused = report_blocks(alice, 7, proof).unwrap_err();
        assert!(refused.contains("InvalidKeyOwnershipProof"), "{refused}");
        assert_eq!(pending(alice), 0);
    });
}
