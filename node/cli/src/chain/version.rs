// SPDX-License-Identifier: Apache-2.0
//! The version of a chain's runtime, and whether this command understands it.

use crate::fault::Fault;
use anyhow::Result;
use serde::Deserialize;

/// The version of a chain's runtime.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Name of the chain that the runtime is for.
    pub spec_name: String,
    /// Release of the runtime.
    pub spec_version: u32,
    /// Version of the calls, which changes when their encoding does.
    pub transaction_version: u32,
}

/// Refuses a runtime that this command does not understand.
pub fn check(theirs: &Version, url: &str) -> Result<()> {
    let ours = assay_runtime::VERSION;
    if theirs.spec_name != ours.spec_name {
        return Err(Fault::error(
            "other_chain",
            format!(
                "the node at {url} serves the chain '{}', not '{}'; name another with --url",
                theirs.spec_name, ours.spec_name
            ),
        ));
    }
    if theirs.transaction_version != ours.transaction_version {
        return Err(Fault::error(
            "other_transaction_version",
            format!(
                "the chain has transaction version {}, but this command supports {}; update {}",
                theirs.transaction_version,
                ours.transaction_version,
                if theirs.transaction_version > ours.transaction_version {
                    "this command"
                } else {
                    "the node"
                }
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "ws://127.0.0.1:9944";

    fn ours() -> Version {
        let ours = assay_runtime::VERSION;
        Version {
            spec_name: ours.spec_name.to_string(),
            spec_version: ours.spec_version + 1,
            transaction_version: ours.transaction_version,
        }
    }

    fn refusal(version: &Version) -> Fault {
        check(version, URL).unwrap_err().downcast().expect("it is a fault")
    }

    #[test]
    fn another_release_of_the_same_chain_is_understood() {
        check(&ours(), URL).unwrap();
    }

    #[test]
    fn another_chain_is_named() {
        let fault = refusal(&Version { spec_name: "westend".into(), ..ours() });
        assert_eq!(fault.code, "other_chain");
        assert!(fault.message.contains("westend") && fault.message.contains(URL));
    }

    #[test]
    fn the_older_side_is_to_be_updated() {
        let known = ours().transaction_version;
        for (theirs, older) in [(known + 1, "update this command"), (known - 1, "update the node")]
        {
            let fault = refusal(&Version { transaction_version: theirs, ..ours() });
            assert_eq!(fault.code, "other_transaction_version");
            assert!(fault.message.contains(older), "{}", fault.message);
        }
    }
}
