// SPDX-License-Identifier: Apache-2.0
//! Models that are fetched: by name, from servers on the loopback interface, and from files.

mod command;
mod downloads;
mod files;
mod kitchen;
mod names;
mod server;
