// SPDX-License-Identifier: Apache-2.0
//! Errors between this command and a node, in words.

use crate::fault::Fault;
use jsonrpsee::core::ClientError;
use serde_json::Value;

/// Converts an error of the RPC.
pub fn of_rpc(url: &str, method: &str, error: ClientError) -> anyhow::Error {
    match error {
        ClientError::Call(error) => {
            // Many errors name their cause only in `data`.
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

/// Returns the error for a connection that is lost.
pub fn gone(url: &str) -> anyhow::Error {
    Fault::error(
        "node_gone",
        format!("the connection to the node at {url} is lost; see the node's log"),
    )
}

/// Returns whether an error is that the connection to the node is lost or cannot be made, so that it
/// may work later.
pub fn is_lost(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| {
        matches!(fault.code.as_str(), "node_unreachable" | "node_gone" | "node_timeout")
    })
}

/// Returns whether an error is that a node withholds an answer that it has: the answer is larger than it
/// sends, or the method is denied to this client.
pub fn is_withheld(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<Fault>()
        .is_some_and(|fault| matches!(fault.code.as_str(), "rpc.-32008" | "rpc.-32601"))
}

/// Returns whether an error is that a node has pruned the state at a block.
pub fn is_discarded(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| {
        fault.code.starts_with("rpc.") && fault.message.contains("State already discarded")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonrpsee::types::{
        error::{METHOD_NOT_FOUND_CODE, OVERSIZED_RESPONSE_CODE},
        ErrorObject,
    };

    const URL: &str = "ws://127.0.0.1:9944";

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
            let fault: Fault = of_rpc(URL, "the_method", error).downcast().expect("it is a fault");
            assert_eq!(fault.code, code);
            assert!(fault.message.contains(words), "{}", fault.message);
        }
    }

    #[test]
    fn answer_that_is_too_big_or_denied_is_withheld() {
        let refused = |code| {
            let error = ClientError::Call(ErrorObject::owned(code, "no", None::<()>));
            of_rpc(URL, "the_method", error)
        };
        for code in [OVERSIZED_RESPONSE_CODE, METHOD_NOT_FOUND_CODE] {
            assert!(is_withheld(&refused(code).context("cannot read")), "{code}");
        }
        assert!(!is_withheld(&refused(1_010)));
        assert!(!is_withheld(&gone(URL)));
    }

    #[test]
    fn lost_connection_is_told_from_an_answer() {
        let refused = ClientError::Call(ErrorObject::owned(1_010, "Invalid", None::<()>));
        assert!(!is_lost(&of_rpc(URL, "the_method", refused)));
        assert!(is_lost(&of_rpc(URL, "the_method", ClientError::RequestTimeout)));
        assert!(is_lost(&gone(URL).context("cannot follow the chain")));
    }
}
