// SPDX-License-Identifier: Apache-2.0
//! An audit ends within a fixed number of blocks, whatever its verifiers do.

use crate::mock::*;
use assay_primitives::{BlockNumber, Verdict};

/// The conduct of a verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conduct {
    /// Says nothing.
    Silent,
    /// Vacates its seat in the last block of its window.
    Vacates,
    /// Commits in the last block of its window and does not reveal.
    Withholds,
    /// Commits and reveals in the last blocks of their windows.
    Votes(Verdict),
}

/// The most blocks from the delivery to the end of an audit of which nothing is published. For each of
/// two panels: three draws and windows to commit, the window to reveal, and the block after each
/// window in which the chain moves on; and then the window to publish.
const BOUND: BlockNumber =
    2 * (3 * (2 + COMMIT_WINDOW + 1) + REVEAL_WINDOW + 1) + PRODUCE_WINDOW + 1;

/// The committee keeps to these conducts, by seat, and all jurors to that one; returns how long the
/// audit took.
fn play(committee: [Conduct; 3], jury: Conduct) -> BlockNumber {
    with_operators(|| {
        let (id, _) = delivered();
        let begun = now();
        while !is_over(&id) {
            assert!(now() <= begun + BOUND, "{committee:?} and {jury:?} do not end in time");
            let audit = audit(&id);
            if audit.phase.due() - 1 == now() {
                for (place, seat) in audit.seats.iter().enumerate() {
                    let conduct =
                        if audit.stage.is_jury() { jury } else { committee[place.min(2)] };
                    let verifier = seat.verifier;
                    // A report of another phase is refused, and changes nothing.
                    let _ = match conduct {
                        Conduct::Silent => Ok(()),
                        Conduct::Vacates => vacate(verifier, id),
                        Conduct::Withholds => commit(verifier, id, accepts()),
                        Conduct::Votes(verdict) => {
                            commit(verifier, id, verdict).or_else(|_| reveal(verifier, id, verdict))
                        }
                    };
                }
            }
            if !is_over(&id) {
                run_blocks(1);
            }
        }
        assert_eq!(everything(), Balances::total_issuance());
        now() - begun
    })
}

#[test]
fn audit_ends_in_time_whatever_each_member_and_the_jury_do() {
    let conducts = [
        Conduct::Silent,
        Conduct::Vacates,
        Conduct::Withholds,
        Conduct::Votes(accepts()),
        Conduct::Votes(rejects()),
        Conduct::Votes(abstains()),
    ];
    let mut longest = 0;
    for one in conducts {
        for two in conducts {
            for three in conducts {
                for jury in conducts {
                    longest = longest.max(play([one, two, three], jury));
                }
            }
        }
    }
    SecondLooks::set(sp_runtime::Permill::one());
    for jury in conducts {
        longest = longest.max(play([Conduct::Votes(accepts()); 3], jury));
    }
    assert!(longest <= BOUND, "the longest path took {longest} blocks");
    assert!(longest > BOUND / 2, "paths of two panels were among them: {longest}");
}

#[test]
fn hook_weighs_each_audit_that_it_draws_for_or_moves_on() {
    use crate::WeightInfo;
    use frame_support::traits::Hooks;
    type Weights = ();
    with_operators(|| {
        delivered();
        skip_blocks(2);
        let at = u64::from(now());
        assert_eq!(
            Verification::on_initialize(at),
            Weights::on_initialize()
                + Weights::draw()
                + Verification::draw_weight_of(3)
                + Verification::dismiss_weight_of(3)
        );
        let over = at + u64::from(COMMIT_WINDOW) + 1;
        run_blocks(COMMIT_WINDOW);
        System::set_block_number(over);
        assert_eq!(
            Verification::on_initialize(over),
            Weights::on_initialize() + Weights::advance() + Verification::dismiss_weight_of(3)
        );
    });
}
