// SPDX-License-Identifier: Apache-2.0
//! Random sequences of all possible steps: no invariant breaks, and no operator is drawn that
//! cannot be. `PROPTEST_CASES` sets their number.

use crate::{mock::*, Members};
use assay_primitives::{
    traits::{Duties, Offered, Performance as _, Routing as _, Standing},
    Prices,
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Stand { operator: u64, stake: u128, models: Vec<u64>, active: bool, told: bool },
    Leave { operator: u64 },
    Assign { n: u64, model: u64 },
    Answer { operator: u64 },
    Live { operator: u64 },
    Decline { operator: u64 },
    Miss { operator: u64 },
    Deliver { operator: u64, model: u64, tokens: u32, blocks: u32, fees: u128 },
    Heartbeat { operator: u64, back: u32 },
    Report { operator: u64 },
    Randomness { some: Option<u8> },
    Blocks { count: u8, alive: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let operator = 10..40u64;
    let model = 1..5u64;
    let stake = prop_oneof![Just(0), Just(MIN_STAKE), 0..2 * CAP, any::<u128>()];
    prop_oneof![
        8 => (
            operator.clone(),
            stake,
            proptest::collection::vec(model.clone(), 0..5),
            prop::bool::weighted(0.8),
            prop::bool::weighted(0.8),
        )
            .prop_map(|(operator, stake, models, active, told)| Step::Stand {
                operator, stake, models, active, told
            }),
        2 => operator.clone().prop_map(|operator| Step::Leave { operator }),
        8 => (any::<u64>(), model.clone()).prop_map(|(n, model)| Step::Assign { n, model }),
        4 => operator.clone().prop_map(|operator| Step::Answer { operator }),
        1 => operator.clone().prop_map(|operator| Step::Live { operator }),
        1 => operator.clone().prop_map(|operator| Step::Decline { operator }),
        4 => operator.clone().prop_map(|operator| Step::Miss { operator }),
        4 => (operator.clone(), model, any::<u32>(), any::<u32>(), any::<u128>()).prop_map(
            |(operator, model, tokens, blocks, fees)| {
                Step::Deliver { operator, model, tokens, blocks, fees }
            }
        ),
        2 => (operator.clone(), 0..10u32)
            .prop_map(|(operator, back)| Step::Heartbeat { operator, back }),
        2 => operator.prop_map(|operator| Step::Report { operator }),
        1 => any::<Option<u8>>().prop_map(|some| Step::Randomness { some }),
        8 => (1..12u8, any::<bool>()).prop_map(|(count, alive)| Step::Blocks { count, alive }),
    ]
}

/// Takes the step. A refused step changes nothing, so all outcomes are fine.
fn take(step: Step) {
    match step {
        Step::Stand { operator, stake, models, active, told } => {
            let models = models
                .into_iter()
                .map(|n| {
                    let prices = Prices { input: stake % 3, output: stake / 9 };
                    Offered { model: model(n), context: (stake % 7) as u32, prices }
                })
                .collect();
            let standing = Some(Standing { stake, models, active });
            if told || Members::<Test>::get(operator).is_none() {
                stand(operator, standing);
            } else {
                set_standing(operator, standing);
            }
        }
        Step::Leave { operator } => leave(operator),
        Step::Assign { n, model: m } => {
            let drawn = Routing::draw(&model(m), seed(n), &[], anyone);
            if let Some(drawn) = drawn {
                let member = member(drawn.operator);
                assert!(member.active && !member.silent && member.stake >= MIN_STAKE);
                assert!(member.of(&model(m)).is_some());
                Routing::assigned(&model(m), &drawn.operator);
            }
            let committee = Routing::committee(&model(m), seed(n), 3, |_| true);
            let sample = Routing::sample(&model(m), seed(n), &11);
            let sum: u64 = sample.drawn.iter().map(|(_, stake)| stake).sum();
            assert!(sum <= sample.stake, "{sample:?}");
            assert!(sample.drawn.len() as u32 <= max_tries());
            assert!(sample.drawn.iter().all(|(operator, _)| *operator != 11));
            for verifier in committee {
                let member = Members::<Test>::get(verifier).unwrap();
                assert!(member.active && !member.silent && member.of(&model(m)).is_some());
            }
        }
        Step::Answer { operator } => Routing::answered(&operator),
        Step::Live { operator } => Routing::alive(&operator),
        Step::Decline { operator } => Routing::declined(&operator),
        Step::Miss { operator } => Routing::missed(&operator),
        Step::Deliver { operator, model: m, tokens, blocks, fees } => {
            Routing::delivered(&operator, &model(m), tokens, blocks, fees);
        }
        Step::Heartbeat { operator, back } => {
            let at = now().saturating_sub(back);
            let _ = handle(operator, &heartbeat(operator, at));
        }
        Step::Report { operator } => {
            for report in Routing::reports(&operator, &[]) {
                next_block();
                let _ = handle(operator, &report);
            }
        }
        Step::Randomness { some } => ParentRandomness::set(some.map(sp_core::H256::repeat_byte)),
        Step::Blocks { count, alive } => {
            let all: Vec<AccountId> = Members::<Test>::iter_keys().collect();
            run_blocks(count.into(), if alive { &all } else { &[] });
        }
    }
}

proptest! {
    #[test]
    fn sequences_keep_the_invariants(steps in proptest::collection::vec(step(), 1..120)) {
        with_operators(|| {
            for step in steps {
                take(step);
                check_state().map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
            }
            // An epoch without any activity silences every operator, whatever happened before.
            run_epochs(3, &[]);
            for (operator, member) in Members::<Test>::iter() {
                prop_assert!(member.silent || !member.active, "{} is alive", operator);
            }
            for m in 1..5 {
                prop_assert_eq!(Routing::draw(&model(m), seed(m), &[], anyone), None);
            }
            Ok(())
        })?;
    }
}
