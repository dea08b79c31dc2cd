// SPDX-License-Identifier: Apache-2.0
//! An audit ends within a fixed number of blocks, whatever its verifiers do.

use crate::mock::*;
use assay_primitives::{BlockNumber, Verdict};

/// What a verifier can do in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conduct {
    /// Says nothing.
    Silent,
    /// Commits in the last block of its window and does not reveal.
    Withholds,
    /// Commits and reveals in the last blocks of their windows.
    Votes(Verdict),
}

/// The most blocks from the delivery to the end: for each round the draw, both windows, and the block
/// after each in which the chain moves on.
const BOUND: BlockNumber = 3 * (2 + COMMIT_WINDOW + REVEAL_WINDOW + 2);

/// Every verifier of a round keeps to its conduct; gives how long the audit took.
fn play(rounds: [[Conduct; 3]; 3]) -> BlockNumber {
    with_operators(|| {
        let issued = everything();
        let (id, _) = delivered();
        let begun = now();
        while !is_over(&id) {
            assert!(now() <= begun + BOUND, "{rounds:?} does not end in time");
            let conducts = rounds[usize::from(round(&id))];
            let committee = Verification::committee(&id);
            let audit = audit(&id);
            let last = audit.phase.due() - 1 == now();
            for (verifier, conduct) in committee.into_iter().zip(conducts) {
                // What is refused changes nothing: reports of another phase.
                let _ = match conduct {
                    Conduct::Silent => Ok(()),
                    Conduct::Withholds if last => commit(verifier, id, accepts()),
                    Conduct::Votes(verdict) if last => {
                        commit(verifier, id, verdict).or_else(|_| reveal(verifier, id, verdict))
                    }
                    _ => Ok(()),
                };
            }
            if !is_over(&id) {
                run_blocks(1);
            }
        }
        assert_eq!(everything(), Balances::total_issuance());
        assert!(everything() <= issued);
        now() - begun
    })
}

#[test]
fn audit_ends_in_time_on_every_path() {
    let conducts = [
        Conduct::Silent,
        Conduct::Withholds,
        Conduct::Votes(accepts()),
        Conduct::Votes(rejects()),
        Conduct::Votes(abstains()),
    ];
    // Every combination of three conducts, which are the rounds there can be.
    let mut rounds = vec![];
    for one in conducts {
        for two in conducts {
            for three in conducts {
                rounds.push([one, two, three]);
            }
        }
    }
    let mut longest = 0;
    // Those rounds first, followed by each of five kinds of rounds twice.
    for first in &rounds {
        for other in conducts {
            longest = longest.max(play([*first, [other; 3], [other; 3]]));
        }
    }
    // Every round after two that came to nothing.
    let undecided = [Conduct::Votes(accepts()), Conduct::Votes(abstains()), Conduct::Withholds];
    for last in rounds {
        longest = longest.max(play([undecided, undecided, last]));
    }
    assert!(longest <= BOUND, "the longest path took {longest} blocks");
    assert!(longest > 2 * BOUND / 3, "paths of three full rounds were among them: {longest}");
}

#[test]
fn hook_weighs_what_it_did() {
    use crate::WeightInfo;
    use frame_support::traits::Hooks;
    type Weights = ();
    with_operators(|| {
        delivered();
        let at = u64::from(now()) + 2;
        for block in [at - 1, at] {
            System::set_block_number(block);
            Beacon::on_initialize(block);
        }
        assert_eq!(
            Verification::on_initialize(at),
            Weights::on_initialize() + Weights::draw() + Verification::draw_weight()
        );
        let over = at + u64::from(COMMIT_WINDOW) + 1;
        run_blocks(COMMIT_WINDOW);
        System::set_block_number(over);
        assert_eq!(
            Verification::on_initialize(over),
            Weights::on_initialize() + Weights::advance()
        );
    });
}
