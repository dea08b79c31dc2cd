// SPDX-License-Identifier: Apache-2.0
//! Tests by topic.

mod agenda;
mod assignment;
mod audit_fees;
mod audits;
mod burnt;
mod challenge;
mod config;
mod deadlines;
mod deposit;
mod order;
mod others;
mod prices;
mod query;
mod random;
mod routing;
mod run;
mod settle;
mod speed;
