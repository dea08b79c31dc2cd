// SPDX-License-Identifier: Apache-2.0
//! An output for tests.

use assay_primitives::{worker::Transcript, FinishReason, JobId};
use assay_rpc::Output;
use sp_core::H256;

/// The job of the transcript.
pub const JOB: JobId = JobId::repeat_byte(7);

/// Returns a transcript of one token, `B` in the built-in model.
pub fn transcript() -> Transcript {
    Transcript {
        job: JOB,
        input: vec![256, 65],
        output: vec![66],
        text: b"B".to_vec(),
        finish: FinishReason::Length,
        salt: H256::repeat_byte(1),
        logprobs: Default::default(),
    }
}

/// Returns a node's word of the same, with that transcript.
pub fn output(transcript: Option<&[u8]>) -> Output {
    Output {
        tokens: vec![66],
        text: "B".into(),
        bytes: b"B".to_vec().into(),
        finish: Some("length".into()),
        transcript: transcript.map(|bytes| bytes.to_vec().into()),
        text_matches: None,
        logprobs: None,
    }
}
