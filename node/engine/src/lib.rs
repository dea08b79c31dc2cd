// SPDX-License-Identifier: Apache-2.0
#![doc = include_str!("../README.md")]

mod chat;
pub mod constraint;
pub mod digest;
pub mod draft;
mod ends;
mod environment;
mod error;
mod forward;
mod gate;
mod generate;
pub mod gguf;
mod kernels;
mod known_answer;
mod kv;
mod limits;
pub mod logprobs;
mod matrix;
mod model;
pub mod n1;
pub mod panics;
mod prompt;
pub mod quantise;
mod range_coder;
pub mod sampling;
pub mod score;
pub mod serve;
mod spec;
mod stops;
pub mod synthetic;
mod task;
mod threads;
pub mod tokenizer;
mod verify;

pub use chat::{check_json, Chat, Message};
pub use constraint::{Constraint, Form};
pub use ends::FinishReason;
pub use error::EngineError;
pub use forward::{Row, Session};
pub use gate::Gate;
pub use generate::{generate, generate_with_draft, Generation};
pub use kernels::Kernel;
pub use limits::Limits;
pub use logprobs::{Logprobs, TokenLogprobs};
pub use model::{
    import, plan_import, ImportPlan, ImportProgress, Imported, MatrixType, Model, ModelInfo,
};
pub use prompt::Prompt;
pub use sampling::{choose, pick, Adjustments, Context, SampleSpec, Sampling};
pub use score::{compress, decompress, score, Score};
pub use spec::GenerateSpec;
pub use stops::{Stop, StopSearch, StopStrings, Stops};
pub use threads::Threads;
pub use verify::{verify, Positions, RejectReason, Transcript, Verification};
