// SPDX-License-Identifier: Apache-2.0
//! Tests by topic.

mod lookup;
mod random;
mod registration;
mod state;
