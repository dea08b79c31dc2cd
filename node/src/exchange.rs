// SPDX-License-Identifier: Apache-2.0
//! The exchange: a request-response protocol in which payloads, tokens and texts travel between nodes.
//!
//! A node that asks for a payload compares the answer with the hash, so no peer need be trusted with
//! a prompt or a transcript. Tokens and their text, in contrast, are the claim of a peer while a job
//! runs. They are shown as they come; once the transcript is committed, only the payload that hashes
//! to the commitment counts.

mod client;
mod page;
mod server;
mod source;
mod wire;

pub use client::Exchange;
pub use page::{local_page, Page, PAGE_TOKENS};
pub use server::{config, serve};
pub use source::NetworkSource;
