// SPDX-License-Identifier: Apache-2.0
//! The trust in a network: its genesis block is pinned the first time, and compared every time after.

use crate::{chain::Chain, config::ConfigFile, fault::Fault, out, settings::Settings};
use anyhow::Result;
use assay_runtime::Hash;

/// The decision about a chain.
#[derive(PartialEq, Eq, Debug)]
enum Decision {
    /// The chain is the one that is pinned, or one where nothing is at stake.
    Trust,
    /// The chain is the first that was seen under this name.
    Pin,
    /// The chain is not the one that is pinned.
    Refuse(Hash),
}

/// Makes sure that a chain is the one that the network had before. The first one is pinned, with a
/// note, unless it is a chain for development, which anyone can start anew.
pub fn ensure(settings: &Settings, chain: &Chain) -> Result<()> {
    let name = &settings.network;
    match decide(settings.genesis, chain.genesis, chain.development) {
        Decision::Trust => Ok(()),
        Decision::Refuse(pinned) => Err(refusal(settings, pinned, chain.genesis)),
        Decision::Pin => {
            let genesis = format!("{:?}", chain.genesis);
            let pinned = ConfigFile::of_user()
                .and_then(|file| file.put(Some(name), "genesis", Some(&genesis)).map(|()| file));
            out::note(&match pinned {
                Ok(file) => format!(
                    "First use of the network '{name}': {} is the chain {} with the genesis block \
                     {genesis}. Compare it with the one that the network publishes; it is pinned in {}, \
                     and any other is refused from now on.",
                    settings.url,
                    chain.name,
                    file.path().display()
                ),
                Err(error) => format!(
                    "The genesis block {genesis} of the network '{name}' cannot be pinned: {error:#}. \
                     Compare it with the one that the network publishes."
                ),
            });
            Ok(())
        }
    }
}

/// Decides about a chain. What is pinned counts whatever a node says about the kind of its chain.
fn decide(pinned: Option<Hash>, genesis: Hash, development: bool) -> Decision {
    match pinned {
        Some(pinned) if pinned == genesis => Decision::Trust,
        Some(pinned) => Decision::Refuse(pinned),
        None if development => Decision::Trust,
        None => Decision::Pin,
    }
}

fn refusal(settings: &Settings, pinned: Hash, genesis: Hash) -> anyhow::Error {
    let Settings { network, url, .. } = settings;
    Fault::error(
        "genesis_mismatch",
        format!(
            "the node at {url} serves a chain with the genesis block {genesis:?}, but the network \
             '{network}' is pinned to {pinned:?}; name a node of that network with --url, or another \
             network with --network; if this one was started anew, `assay config set genesis \
             {genesis:?} --network {network}` pins it"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Hash = Hash::repeat_byte(1);
    const TWO: Hash = Hash::repeat_byte(2);

    #[test]
    fn first_chain_is_pinned_and_another_is_refused() {
        assert_eq!(decide(None, ONE, false), Decision::Pin);
        assert_eq!(decide(Some(ONE), ONE, false), Decision::Trust);
        assert_eq!(decide(Some(ONE), TWO, false), Decision::Refuse(ONE));
    }

    #[test]
    fn development_chain_is_not_pinned_and_excuses_nothing() {
        assert_eq!(decide(None, ONE, true), Decision::Trust);
        // A node that lies about the kind of its chain does not get around what is pinned.
        assert_eq!(decide(Some(ONE), TWO, true), Decision::Refuse(ONE));
    }

    #[test]
    fn refusal_names_both_hashes_and_the_remedies() {
        let settings = Settings {
            network: "main".into(),
            url: "ws://a".into(),
            key_file: None,
            max_cost: None,
            genesis: Some(ONE),
        };
        let message = refusal(&settings, ONE, TWO).to_string();
        for part in
            [&format!("{ONE:?}"), &format!("{TWO:?}"), "--network", "assay config set genesis"]
        {
            assert!(message.contains(part), "{part} in {message}");
        }
    }
}
