// SPDX-License-Identifier: Apache-2.0
//! Tests with clients over TCP, some of which read or send little, late or nothing.

mod accept;
mod client;
mod closing;
mod given;
mod messages;
mod starting;
mod subscriptions;
mod unread;
mod unsent;
