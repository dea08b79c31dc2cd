// SPDX-License-Identifier: Apache-2.0
//! The division of a pass's rows among jobs.

/// The kind of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Generate,
    Verify,
}

/// The rows that a job wants in the next pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub kind: Kind,
    /// Number of tokens that are ready to go through the model.
    pub rows: usize,
}

/// Returns the number of rows for each job, `budget` in total.
///
/// Each job gets one row, so that none starves while there are no more jobs than rows. Half of the
/// remaining rows are for generations and half for verifications. Jobs of one kind share equally,
/// and rows that a job does not need go to others.
pub(super) fn share(wants: &[Want], budget: usize) -> Vec<usize> {
    let mut left = budget;
    let mut shares: Vec<usize> = wants
        .iter()
        .map(|want| {
            let one = want.rows.min(1).min(left);
            left -= one;
            one
        })
        .collect();
    let open = |kind: Kind, shares: &[usize]| -> usize {
        let pairs = wants.iter().zip(shares).filter(|(want, _)| want.kind == kind);
        pairs.map(|(want, share)| want.rows - share).sum()
    };
    let generate = open(Kind::Generate, &shares);
    let verify = open(Kind::Verify, &shares).min(left.saturating_sub(generate).max(left / 2));
    fill(wants, Kind::Verify, verify, &mut shares);
    fill(wants, Kind::Generate, left - verify, &mut shares);
    shares
}

/// Divides `left` rows evenly between the jobs of a kind, smallest want first.
fn fill(wants: &[Want], kind: Kind, mut left: usize, shares: &mut [usize]) {
    let mut open: Vec<usize> = (0..wants.len()).filter(|&i| wants[i].kind == kind).collect();
    open.sort_by_key(|&i| wants[i].rows);
    for (done, &i) in open.iter().enumerate() {
        let more = (left / (open.len() - done)).min(wants[i].rows - shares[i]);
        shares[i] += more;
        left -= more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    fn want((verify, rows): (bool, usize)) -> Want {
        Want { kind: if verify { Kind::Verify } else { Kind::Generate }, rows }
    }

    proptest! {
        #[test]
        fn share_wastes_nothing_and_starves_nobody(
            wants in prop::collection::vec((any::<bool>(), 0usize..300), 0..40),
            budget in 1usize..200,
        ) {
            let wants: Vec<Want> = wants.into_iter().map(want).collect();
            let shares = share(&wants, budget);
            let wanted: usize = wants.iter().map(|want| want.rows).sum();
            prop_assert_eq!(shares.iter().sum::<usize>(), wanted.min(budget));
            for (want, &share) in wants.iter().zip(&shares) {
                prop_assert!(share <= want.rows);
                prop_assert!(share > 0 || want.rows == 0 || wants.len() > budget);
            }
            // A job that gets less than it wants has, up to the remainder, the most of its kind.
            for (a, &mine) in wants.iter().zip(&shares).filter(|(want, &s)| s < want.rows) {
                for (_, &other) in wants.iter().zip(&shares).filter(|(b, _)| b.kind == a.kind) {
                    prop_assert!(other <= mine + 1, "{:?}", shares);
                }
            }
        }
    }

    #[test]
    fn share_halves_the_pass_between_kinds() {
        let mut wants = vec![want((true, 1000))];
        wants.extend((0..9).map(|_| want((false, 1000))));
        let shares = share(&wants, 110);
        assert_eq!(shares[0], 51);
        assert_eq!(shares[1..].iter().sum::<usize>(), 59);
    }
}
