// SPDX-License-Identifier: Apache-2.0
//! The operators with the most stake, in order.

use crate::{mock::*, Operators as OperatorMap, Ranking};
use assay_primitives::Balance;
use frame_support::assert_ok;
use sp_runtime::Perbill;

fn ranking() -> Vec<(AccountId, Balance)> {
    Ranking::<Test>::get().into_iter().map(|next| (next.stash, next.stake)).collect()
}

#[test]
fn ranking_follows_every_change_of_stake() {
    with_operators(|| {
        register(BOB, 2_000);
        register(ALICE, 2_000);
        register(CAROL, 3_000);
        assert_eq!(ranking(), [(CAROL, 3_000), (ALICE, 2_000), (BOB, 2_000)]);
        assert_ok!(Operators::bond_extra(signed(BOB), 2_000));
        assert_eq!(ranking()[0], (BOB, 4_000));
        delegate(EVE, ALICE, 3_000);
        assert_eq!(ranking()[0], (ALICE, 5_000));
        assert_ok!(Operators::undelegate(signed(EVE), ALICE, 2_000));
        assert_eq!(ranking()[1], (ALICE, 3_000));
        assert_ok!(Operators::unbond(signed(BOB), 3_000));
        assert_eq!(ranking()[2], (BOB, 1_000));
        assert_ok!(Operators::leave(signed(ALICE)));
        assert_eq!(ranking(), [(CAROL, 3_000), (BOB, 1_000)]);
        offend(CAROL, Perbill::from_percent(10), vec![]);
        skip(SLASH_DELAY);
        assert_ok!(Operators::apply_slash(signed(EVE), 0));
        assert_eq!(ranking()[0], (CAROL, 2_700));
    });
}

#[test]
fn ranking_has_the_most_stake_of_more_than_it_takes() {
    with_operators(|| {
        for (stash, bond) in [(ALICE, 4_000), (BOB, 3_000), (CAROL, 2_000), (DAVE, 1_000)] {
            register(stash, bond);
        }
        assert_eq!(ranking(), [(ALICE, 4_000), (BOB, 3_000), (CAROL, 2_000)]);
        assert_ok!(Operators::bond_extra(signed(DAVE), 1_500));
        assert_eq!(ranking(), [(ALICE, 4_000), (BOB, 3_000), (DAVE, 2_500)]);
        // The stake of one operator falls, and anyone can rank the operator that replaces it.
        assert_ok!(Operators::unbond(signed(ALICE), 3_000));
        assert_ok!(Operators::rank_operator(signed(EVE), CAROL));
        assert_eq!(ranking(), [(BOB, 3_000), (DAVE, 2_500), (CAROL, 2_000)]);
    });
}

#[test]
fn ranking_is_looked_up_again_at_an_election() {
    with_operators(|| {
        register(ALICE, 2_000);
        register(BOB, 2_000);
        register(CAROL, 1_000);
        delegate(EVE, BOB, 1_000);
        delegate(EVE, ALICE, 1_000);
        reward(BOB, 900);
        assert_eq!(ranking()[0], (ALICE, 3_000));
        OperatorMap::<Test>::mutate(CAROL, |carol| {
            carol.as_mut().unwrap().bonded -= 1;
        });
        assert_eq!(Operators::elect(), [BOB, ALICE]);
        assert_eq!(ranking(), [(BOB, 3_300), (ALICE, 3_000)]);
        OperatorMap::<Test>::mutate(CAROL, |carol| {
            carol.as_mut().unwrap().bonded += 1;
        });
    });
}
