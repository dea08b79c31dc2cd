// SPDX-License-Identifier: Apache-2.0
//! The id of a job or of a model, as it is typed.

use sp_core::H256;

/// Parses an id of 32 bytes, with or without `0x`.
pub fn id(text: &str) -> Result<H256, String> {
    hex::decode(text.trim_start_matches("0x"))
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .map(H256::from)
        .ok_or_else(|| format!("'{text}' is not a valid id; write 0x and 64 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_has_32_bytes() {
        let digits = "ab".repeat(32);
        assert_eq!(id(&digits), id(&format!("0x{digits}")));
        assert!(id("0xab").is_err());
        assert!(id("zz").is_err());
    }
}
