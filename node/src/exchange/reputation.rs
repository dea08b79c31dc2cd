// SPDX-License-Identifier: Apache-2.0
//! The changes of the reputation of peers that break the protocol. A peer below the threshold of
//! sc-network, about -1.5 billion, is disconnected and not served for a while.

use sc_network::ReputationChange;

/// The change for a peer that asks for more than it may. Some hundred of these ban it.
pub const TOO_MUCH: ReputationChange =
    ReputationChange::new(-(1 << 22), "exchange: more requests than a peer may have");
/// The change for a peer whose request or response is malformed. Six of these ban it.
pub const MALFORMED: ReputationChange =
    ReputationChange::new(-(1 << 28), "exchange: malformed message");
/// The change for a peer that sends other bytes than those with the hash. Six of these ban it.
pub const WRONG_PAYLOAD: ReputationChange =
    ReputationChange::new(-(1 << 28), "exchange: payload with another hash");
