// SPDX-License-Identifier: Apache-2.0
#![doc = include_str!("../README.md")]

pub mod digest;
mod error;
mod forward;
mod gate;
mod generate;
pub mod gguf;
mod kernels;
mod kv;
mod limits;
mod model;
pub mod n1;
pub mod quantise;
pub mod sampling;
pub mod synthetic;
mod threads;
mod tokenizer;
mod verify;
mod weights;

pub use error::EngineError;
pub use forward::{Row, Session};
pub use gate::Gate;
pub use generate::{generate, FinishReason, GenerateSpec, Generation};
pub use limits::Limits;
pub use model::{Model, ModelInfo};
pub use sampling::{pick, SampleSpec, Sampling};
pub use threads::Threads;
pub use verify::{verify, Positions, RejectReason, Transcript, Verification};
