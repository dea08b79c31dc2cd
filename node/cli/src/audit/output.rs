// SPDX-License-Identifier: Apache-2.0
//! The VRF output of a block, from its header and the epoch's randomness.

use assay_runtime::{configs::Randomness, Header};
use sp_consensus_babe::{
    digests::{CompatibleDigestItem, PreDigest},
    make_vrf_sign_data, make_vrf_transcript, AuthorityId, BabeAuthorityWeight,
    RANDOMNESS_VRF_CONTEXT,
};
use sp_core::{crypto::VrfPublic, sr25519, H256};
use sp_crypto_hashing::blake2_256;

/// The data of BABE's epoch with which the outputs of its blocks are computed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Epoch {
    /// The number of the epoch.
    pub index: u64,
    /// The randomness of the epoch.
    pub randomness: sp_consensus_babe::Randomness,
    /// The authorities, in their order.
    pub authorities: Vec<(AuthorityId, BabeAuthorityWeight)>,
}

/// The reasons for which a block's output cannot be computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoOutput {
    /// The header names no slot and no author.
    NoAuthor,
    /// The author has no seat in the epoch.
    UnknownAuthor,
    /// The proof in the header does not belong to the author, the slot and the epoch.
    Forged,
}

impl NoOutput {
    /// Returns the reason in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::NoAuthor => "the header names no author",
            Self::UnknownAuthor => "the author has no seat in the epoch",
            Self::Forged => "the VRF proof in the header is not that of the author",
        }
    }
}

/// Returns the output of a block as pallet-beacon defines it: `blake2_256("assay", bytes)` of the 32
/// bytes that BABE makes of the author's VRF. `None` if the slot has no VRF. The author's proof is
/// verified, so neither an output nor an epoch's randomness can be invented.
pub fn of(header: &Header, epoch: &Epoch) -> Result<Option<H256>, NoOutput> {
    let logs = &header.digest.logs;
    let digest: PreDigest =
        logs.iter().find_map(|log| log.as_babe_pre_digest()).ok_or(NoOutput::NoAuthor)?;
    let index = usize::try_from(digest.authority_index()).map_err(|_| NoOutput::UnknownAuthor)?;
    let (author, _) = epoch.authorities.get(index).ok_or(NoOutput::UnknownAuthor)?;
    let Some(signature) = digest.vrf_signature() else { return Ok(None) };
    let author = sr25519::Public::from(author.clone());
    let slot = digest.slot();
    let data = make_vrf_sign_data(&epoch.randomness, slot, epoch.index);
    if !author.vrf_verify(&data, signature) {
        return Err(NoOutput::Forged);
    }
    let input = make_vrf_transcript(&epoch.randomness, slot, epoch.index);
    let bytes: [u8; 32] = author
        .make_bytes(RANDOMNESS_VRF_CONTEXT, &input, &signature.pre_output)
        .map_err(|_| NoOutput::Forged)?;
    Ok(Some(blake2_256(&[Randomness::SUBJECT, &bytes].concat()).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::scene;

    #[test]
    fn output_is_the_one_of_the_author_alone() {
        let epoch = scene::epoch();
        let output = of(&scene::header(7), &epoch).unwrap().expect("the slot has a VRF");
        assert_eq!(
            of(&scene::header(7), &epoch),
            Ok(Some(output)),
            "proofs differ, outputs do not"
        );
        assert_ne!(of(&scene::header(8), &epoch), Ok(Some(output)));
        // Computed with pallet-babe's `ParentBlockRandomness` over the same header.
        assert_eq!(output, scene::beacon_output(7));
    }

    #[test]
    fn output_of_another_epoch_is_refused() {
        let header = scene::header(7);
        let other = Epoch { randomness: [9; 32], ..scene::epoch() };
        assert_eq!(of(&header, &other), Err(NoOutput::Forged));
        let other = Epoch { index: 4, ..scene::epoch() };
        assert_eq!(of(&header, &other), Err(NoOutput::Forged));
        let other = Epoch { authorities: Vec::new(), ..scene::epoch() };
        assert_eq!(of(&header, &other), Err(NoOutput::UnknownAuthor));
    }

    #[test]
    fn header_without_an_author_is_refused() {
        let mut header = scene::header(7);
        header.digest.logs.clear();
        assert_eq!(of(&header, &scene::epoch()), Err(NoOutput::NoAuthor));
    }
}
