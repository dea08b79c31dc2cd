// SPDX-License-Identifier: Apache-2.0
//! A multiaddress of a node, as it is typed.

use assay_primitives::contact::Address;
use std::str::FromStr;

/// A multiaddress in its binary form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MultiaddressArg(pub Address);

impl FromStr for MultiaddressArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address: multiaddr::Multiaddr = text
            .parse()
            .map_err(|error| format!("'{text}' is not a valid multiaddress: {error}"))?;
        if address.is_empty() {
            return Err("the multiaddress is empty".into());
        }
        let bytes = address.to_vec();
        let length = bytes.len();
        Address::try_from(bytes)
            .map(Self)
            .map_err(|_| format!("'{text}' has {length} bytes, which are too many"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiaddress_is_binary() {
        let address: MultiaddressArg = "/ip4/127.0.0.1/tcp/30333".parse().unwrap();
        assert_eq!(address.0.as_slice(), [4, 127, 0, 0, 1, 6, 0x76, 0x7d]);
        for bad in ["", "127.0.0.1", "/ip4/1/tcp/2"] {
            assert!(bad.parse::<MultiaddressArg>().is_err(), "{bad}");
        }
        let long = format!("/dns/{}/tcp/1", "a".repeat(200));
        assert!(long.parse::<MultiaddressArg>().unwrap_err().contains("too many"));
    }
}
