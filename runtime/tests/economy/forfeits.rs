// SPDX-License-Identifier: Apache-2.0
//! An operator serves some verifiers and not others, whose fees it hopes to keep.

use crate::scene::*;
use assay_primitives::{AbstainReason, Verdict};
use assay_runtime::{AccountId, Balance, Escrow};
use pallet_verification::Stage;

/// Plays a job whose output is accepted, of which the first so many of the committee get nothing to check.
/// Returns what its operator has gained, what the fund has, and what all accounts together have lost.
fn play(unserved: usize) -> [Balance; 3] {
    on_chain(|| {
        let spec = spec(1_000, 1_000);
        let everybody: Vec<AccountId> = operators().into_iter().chain([client()]).collect();
        let before: Vec<_> = everybody.iter().map(|who| wealth([who])).collect();
        let job = create(spec.clone(), quoted(&spec));
        let operator = deliver(&job, 1_000);
        judge(&job, |stage, seat, _| match stage {
            Stage::Committee if seat < unserved => {
                Verdict::Abstain(AbstainReason::PayloadUnavailable)
            }
            _ => accepts(),
        });
        let index = everybody.iter().position(|who| *who == operator).unwrap();
        let lost = before.iter().sum::<Balance>() - wealth(&everybody);
        let settlement = settlement(&job);
        // Jurors are paid out of the fund, and nothing else leaves the accounts.
        assert_eq!(lost + paid_to_jurors(&settlement), settlement.burnt + settlement.fund);
        [wealth([&operator]) - before[index], settlement.fund, lost]
    })
}

/// Returns what jurors got out of the fund of a chain whose first job this was.
fn paid_to_jurors(settlement: &assay_primitives::settlement::Settlement<AccountId>) -> Balance {
    settlement.fund - Escrow::in_fund()
}

#[test]
fn fee_that_a_verifier_forfeits_is_not_its_operators() {
    let [honest, levied, _] = play(0);
    for unserved in 1..=2 {
        let [earned, fund, _] = play(unserved);
        assert_eq!(earned, honest, "an operator earns by not serving {unserved}");
        // 11 ASY, of which each verifier has 10 %.
        assert_eq!(fund - levied, unserved as Balance * assay_runtime::UNIT * 110 / 100);
    }
}
