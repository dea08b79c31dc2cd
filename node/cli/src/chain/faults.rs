// SPDX-License-Identifier: Apache-2.0
//! What goes wrong between this command and a node, in words.

use super::Version;
use crate::exit::Fault;
use anyhow::Result;
use jsonrpsee::core::ClientError;
use serde_json::Value;

/// Refuses a runtime that this command does not understand.
pub fn check(theirs: &Version, url: &str) -> Result<()> {
    let ours = assay_runtime::VERSION;
    if theirs.spec_name != ours.spec_name {
        return Err(Fault::error(
            "other_chain",
            format!(
                "the node at {url} is of the chain '{}', not of '{}'; name another with --url",
                theirs.spec_name, ours.spec_name
            ),
        ));
    }
    if theirs.transaction_version != ours.transaction_version {
        return Err(Fault::error(
            "other_transaction_version",
            format!(
                "the chain has transaction version {}, this command knows {}; update {}",
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

/// An error of the RPC.
pub fn of_rpc(url: &str, method: &str, error: ClientError) -> anyhow::Error {
    match error {
        ClientError::Call(error) => {
            // Many errors say only in `data` what they are about.
            let data = error.data().map(|data| data.get());
            let data = data.and_then(|data| serde_json::from_str::<Value>(data).ok());
            let message = match data {
                Some(Value::String(data)) => format!("{}: {data}", error.message()),
                Some(data) if !data.is_null() => format!("{}: {data}", error.message()),
                _ => error.message().to_string(),
            };
            Fault::error(format!("rpc.{}", error.code()), message)
        }
        ClientError::RequestTimeout => Fault::error(
            "node_timeout",
            format!("the node at {url} did not answer {method} in time; see its log"),
        ),
        ClientError::Transport(_) | ClientError::RestartNeeded(_) => gone(url),
        error => Fault::error("rpc", format!("{method}: {error}")),
    }
}

/// The connection was closed.
pub fn gone(url: &str) -> anyhow::Error {
    Fault::error("node_gone", format!("the node at {url} has closed the connection; see its log"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonrpsee::types::ErrorObject;

    const URL: &str = "ws://node";

    fn ours() -> Version {
        let ours = assay_runtime::VERSION;
        Version {
            spec_name: ours.spec_name.to_string(),
            spec_version: ours.spec_version + 1,
            transaction_version: ours.transaction_version,
        }
    }

    fn fault(error: anyhow::Error) -> Fault {
        error.downcast().expect("it is a fault")
    }

    #[test]
    fn another_release_of_the_same_chain_is_understood() {
        check(&ours(), URL).unwrap();
    }

    #[test]
    fn another_chain_is_named() {
        let other = Version { spec_name: "westend".into(), ..ours() };
        let fault = fault(check(&other, URL).unwrap_err());
        assert_eq!(fault.code, "other_chain");
        assert!(fault.message.contains("westend") && fault.message.contains(URL));
    }

    #[test]
    fn who_is_older_is_to_be_updated() {
        let known = ours().transaction_version;
        for (theirs, older) in [(known + 1, "update this command"), (known - 1, "update the node")]
        {
            let other = Version { transaction_version: theirs, ..ours() };
            let fault = fault(check(&other, URL).unwrap_err());
            assert_eq!(fault.code, "other_transaction_version");
            assert!(fault.message.contains(older), "{}", fault.message);
        }
    }

    #[test]
    fn errors_of_the_rpc_have_codes() {
        let call =
            |data: Option<&str>| ClientError::Call(ErrorObject::owned(1_010, "Invalid", data));
        for (error, code, words) in [
            (call(Some("too low")), "rpc.1010", "Invalid: too low"),
            (call(None), "rpc.1010", "Invalid"),
            (ClientError::RequestTimeout, "node_timeout", "did not answer the_method"),
            (ClientError::Transport("closed".into()), "node_gone", URL),
            (ClientError::HttpNotImplemented, "rpc", "the_method"),
        ] {
            let fault = fault(of_rpc(URL, "the_method", error));
            assert_eq!(fault.code, code);
            assert!(fault.message.contains(words), "{}", fault.message);
        }
    }
}
