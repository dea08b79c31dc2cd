// SPDX-License-Identifier: Apache-2.0
//! The key of the digests to which an operator commits with an output.

use codec::Encode;
use sp_core::H256;

/// Returns the key of the digests of an answer by that operator: `blake2_256("assay/digest/1", id of the
/// answer, operator)`. The id of a job covers the genesis block. With this key in every digest, an
/// operator cannot commit to what another one found, nor to what it found itself in another job.
pub fn digest_key<AccountId: Encode>(answer: &H256, operator: &AccountId) -> H256 {
    (b"assay/digest/1", answer, operator).using_encoded(sp_crypto_hashing::blake2_256).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_the_published_one() {
        let key = digest_key(&H256::repeat_byte(7), &[9u8; 32]);
        let expected = "11a92d66e02ff720ef12e1cc2ed35141614c9ae8be1606a3c8cc86f27ab4bd48";
        assert_eq!(format!("{key:x}"), expected);
    }

    #[test]
    fn key_is_of_one_answer_and_one_operator() {
        let key = |answer, operator: u64| digest_key(&H256::repeat_byte(answer), &operator);
        assert_ne!(key(1, 1), key(2, 1));
        assert_ne!(key(1, 1), key(1, 2));
    }
}
