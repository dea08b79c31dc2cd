// SPDX-License-Identifier: Apache-2.0
//! A client that has friends on the committee orders a long answer to a prompt that ends after one
//! token, lets the honest output be rejected, and is compensated out of the operator's bond.

use crate::scene::*;
use assay_primitives::{job::Payment, settlement::Outcome};
use assay_runtime::{presets::TINY_PRICES, AccountId, Balance, UNIT};

/// The chance that a group with a fifth of the stake has all three seats, in thousandths.
const CAPTURED: Balance = 8;

/// Plays a job of one token, and returns what the client and the committee had before and have then.
fn played(agreed: Agreed, down: Balance) -> [(Balance, Balance); 2] {
    on_chain(|| {
        let spec = spec(17, 2_000);
        let payment = Payment { down, ..quoted(&spec) };
        let others = |operator: &AccountId| -> Vec<AccountId> {
            operators().into_iter().filter(|other| other != operator).collect()
        };
        let before = wealth(&[client()]);
        let job = create(spec, payment);
        let operator = assigned(&job);
        let committee_before = wealth(&others(&operator));
        deliver(&job, 1);
        let committee = judge(&job, agreed);
        assert!(committee.iter().all(|verifier| others(&operator).contains(verifier)));
        let expected = match agreed {
            Agreed::Accept => Outcome::Paid,
            Agreed::Reject => Outcome::Slashed,
        };
        assert_eq!(settlement(&job).outcome, expected);
        [(before, wealth(&[client()])), (committee_before, wealth(&committee))]
    })
}

#[test]
fn framing_costs_more_than_it_gains() {
    for down in [0, TINY_PRICES.output, UNIT] {
        let [client, committee] = played(Agreed::Reject, down);
        let gained = client.1 + committee.1 - client.0 - committee.0;
        // In all other cases the client pays for its bait, to others.
        let [client, _] = played(Agreed::Accept, down);
        let lost = client.0 - client.1;
        assert!(
            gained * CAPTURED < lost * (1_000 - CAPTURED),
            "with a down payment of {down} framing gains {gained} once and costs {lost} otherwise"
        );
    }
}
