// SPDX-License-Identifier: Apache-2.0
//! The refusal of an extrinsic by a node: the node has not kept it, and has passed it on to nobody.

use crate::fault::Fault;

/// The codes that say so: of a malformed or unverifiable extrinsic, of one that is invalid or of unknown
/// validity, of a priority that is too low, a cycle, one that cannot be acted on, one without tags, an
/// unknown block and a nonce in the future; and of a request that the server has not passed on.
///
/// All others leave open whether the node has it, such as 1012 (it is banned for some minutes), 1013 (it is known
/// already), 1016 (it was dropped at once) and -32603 (an internal error).
const CODES: [i32; 17] = [
    1001, 1002, 1010, 1011, 1014, 1015, 1018, 1019, 1020, 1021, -32600, -32601, -32602, -32700,
    -32006, -32007, -32009,
];

/// Returns whether an error is that a node has refused an extrinsic.
pub fn is_refused(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<Fault>()
        .and_then(|fault| fault.code.strip_prefix("rpc.")?.parse().ok())
        .is_some_and(|code: i32| CODES.contains(&code))
}

/// Returns whether a node has refused an extrinsic because another has its nonce: in a block ("outdated"),
/// or in the pool with at least the same priority.
pub fn is_taken(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| match fault.code.as_str() {
        "rpc.1014" => true,
        "rpc.1010" => fault.message.contains("outdated"),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_runtime::transaction_validity::InvalidTransaction;

    #[test]
    fn only_a_nonce_that_is_taken_is_answered_with_another() {
        let refusal = |code: &str, error: InvalidTransaction| {
            let words: &str = error.into();
            Fault::error(code, format!("Invalid Transaction: {words}"))
        };
        assert!(is_taken(&refusal("rpc.1010", InvalidTransaction::Stale)));
        assert!(is_taken(&Fault::error("rpc.1014", "Priority is too low: (1 vs 1)")));
        for error in [
            InvalidTransaction::Payment,
            InvalidTransaction::BadProof,
            InvalidTransaction::Future,
            InvalidTransaction::ExhaustsResources,
        ] {
            assert!(!is_taken(&refusal("rpc.1010", error)), "{error:?}");
        }
        for code in ["rpc.1011", "rpc.1012", "rpc.1013", "rpc.1016", "node_gone", "node_timeout"] {
            assert!(!is_taken(&Fault::error(code, "it is outdated")), "{code}");
        }
    }

    #[test]
    fn only_a_node_that_has_not_kept_the_extrinsic_has_refused_it() {
        for code in ["rpc.1010", "rpc.1014", "rpc.-32601", "rpc.-32007"] {
            let error = Fault::error(code, "no").context("cannot send");
            assert!(is_refused(&error), "{code}");
        }
        // The node may have these, or has them for certain.
        for code in
            ["rpc.1012", "rpc.1013", "rpc.1016", "rpc.1040", "rpc.-32603", "rpc", "node_gone"]
        {
            assert!(!is_refused(&Fault::error(code, "no")), "{code}");
        }
        assert!(!is_refused(&anyhow::anyhow!("1010")));
    }
}
