// SPDX-License-Identifier: Apache-2.0
//! Tests with clients over TCP that read little, late or nothing.

mod client;
mod given;
mod messages;
mod unread;
