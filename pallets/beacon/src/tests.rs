// SPDX-License-Identifier: Apache-2.0
//! Which outputs are kept, and what a span is made of.

use crate::{mock::*, Outputs};
use assay_primitives::traits::PastRandomness;
use codec::Encode;
use frame_support::traits::Hooks;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;

/// Returns the hash that a span of these outputs has.
fn span(first: u32, outputs: &[H256]) -> Option<H256> {
    Some(H256((b"assay/span/1", first, outputs.to_vec()).using_encoded(blake2_256)))
}

#[test]
fn outputs_of_the_last_blocks_are_kept() {
    new_test_ext().execute_with(|| {
        begin_all(20);
        let mut kept: Vec<_> = Outputs::<Test>::iter_keys().collect();
        kept.sort_unstable();
        assert_eq!(kept, [15, 16, 17, 18, 19]);
        assert_eq!(Beacon::of(17), Some(output(17)));
        assert_eq!((Beacon::of(14), Beacon::of(20)), (None, None));
    });
}

#[test]
fn span_is_the_hash_of_its_outputs_in_order() {
    new_test_ext().execute_with(|| {
        begin_all(20);
        assert_eq!(Beacon::of_span(16, 2), span(16, &[output(16), output(17)]));
        assert_ne!(Beacon::of_span(16, 2), Beacon::of_span(16, 3));
        assert!(Beacon::of_span(15, 5).is_some());
    });
}

#[test]
fn span_changes_with_each_of_its_outputs() {
    new_test_ext().execute_with(|| {
        begin_all(20);
        let before = Beacon::of_span(15, 5);
        for block in 15..20 {
            Outputs::<Test>::insert(block, H256::zero());
            assert_ne!(Beacon::of_span(15, 5), before, "block {block}");
            Outputs::<Test>::insert(block, output(block));
        }
        assert_eq!(Beacon::of_span(15, 5), before);
    });
}

#[test]
fn span_that_is_not_over_or_is_forgotten_has_no_value() {
    new_test_ext().execute_with(|| {
        begin_all(20);
        assert_eq!(Beacon::of_span(19, 2), None);
        assert_eq!(Beacon::of_span(20, 1), None);
        assert_eq!(Beacon::of_span(14, 2), None);
        assert_eq!(Beacon::of_span(u32::MAX, 2), None);
        assert_eq!(Beacon::of_span(16, 0), None);
    });
}

#[test]
fn block_without_an_output_counts_as_zero_but_not_all_of_them() {
    new_test_ext().execute_with(|| {
        begin_all(18);
        begin(19, None);
        begin(20, None);
        assert_eq!(Beacon::of(18), None);
        assert_eq!(Beacon::of_span(17, 2), span(17, &[output(17), H256::zero()]));
        assert_eq!(Beacon::of_span(18, 2), None);
    });
}

#[test]
fn parameters_of_the_mock_are_sound() {
    Beacon::integrity_test();
}

#[test]
#[should_panic(expected = "a beacon must keep outputs")]
fn parameters_refuse_a_beacon_that_keeps_nothing() {
    Kept::set(0);
    Beacon::integrity_test();
}
