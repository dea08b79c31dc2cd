// SPDX-License-Identifier: Apache-2.0
//! Tests by topic.

mod config;
mod draws;
mod epochs;
mod heartbeats;
mod members;
mod performance;
mod query;
mod random;
mod score;
