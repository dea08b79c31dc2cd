// SPDX-License-Identifier: Apache-2.0
//! The exchange: a request-response protocol in which payloads, tokens and texts travel between nodes.
//!
//! A node that asks for a payload compares the answer with the hash, so no peer need be trusted with
//! a request or a transcript. Tokens and their text, in contrast, are a claim while a job runs, and only
//! the operator that runs it is asked for them. They are shown as they come; once the transcript is
//! committed, only the payload that hashes to the commitment counts.
//!
//! | files | content |
//! | --- | --- |
//! | `wire.rs`, `page.rs` | the messages and their limits |
//! | `server.rs`, `admission.rs`, `allowance.rs`, `turns.rs`, `outputs.rs` | answers to other nodes, within the limits of each |
//! | `client.rs`, `asking.rs` | requests to other nodes, within the same limits |
//! | `payload.rs`, `search.rs`, `deliveries.rs`, `flights.rs` | fetches: where a payload is looked for, and how it is pulled |
//! | `directory.rs`, `contacts.rs`, `notices.rs`, `providers.rs` | where payloads are: contacts on the chain, notices of peers, the DHT |
//! | `push.rs`, `provide.rs` | the client's node tells the operator, and the operator tells the DHT |
//! | `source.rs` | the exchange as the worker's threads use it |

mod admission;
mod allowance;
mod asking;
mod client;
mod contacts;
mod deliveries;
mod directory;
mod flights;
mod notices;
mod outputs;
mod page;
mod payload;
mod provide;
mod providers;
mod push;
mod reputation;
mod search;
mod server;
mod source;
mod turns;
mod wire;

pub use client::Exchange;
pub use page::{local_page, Page, PAGE_TOKENS};
pub use provide::provide_accepted;
pub use push::push_requests;
pub use server::config;
pub use source::NetworkSource;
