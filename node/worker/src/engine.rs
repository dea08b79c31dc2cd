// SPDX-License-Identifier: Apache-2.0
//! The engine as the worker runs it: servers of models, the cores and the priority of their threads,
//! and the jobs that were promised to the chain.

pub mod background;
pub mod cores;
pub mod kept;
pub mod load;
pub mod promises;
pub mod servers;
pub mod translate;
