// SPDX-License-Identifier: Apache-2.0
//! Answers to messages, which are a call or a batch of calls.

use super::{calls::Calls, connection::Connection, elements::Elements, slot::Slot};
use jsonrpsee::{
    core::JsonRawValue,
    server::{
        middleware::rpc::{RpcLogger, RpcServiceT},
        prepare_error, BatchRequestConfig, BatchResponseBuilder,
    },
    types::{
        error::{
            reject_too_big_batch_request, BATCHES_NOT_SUPPORTED_CODE, BATCHES_NOT_SUPPORTED_MSG,
        },
        ErrorCode, ErrorObject, Id, InvalidRequest, Notification, Request,
    },
    Extensions, MethodResponse,
};
use sc_rpc_server::middleware::Middleware;

/// The methods with everything that surrounds a call of them.
pub type Service = RpcLogger<Middleware<Calls>>;

/// The surroundings of a message on which its answer depends.
pub struct Context<'a> {
    /// The methods.
    pub service: &'a Service,
    /// The connection.
    pub connection: &'a Connection,
    /// The room for the answer.
    pub slot: &'a Slot,
    /// The batches that are permitted.
    pub batches: BatchRequestConfig,
    /// The longest answer, in bytes.
    pub most: usize,
    /// The extensions of calls.
    pub extensions: Extensions,
}

type Told<'a> = Notification<'a, Option<&'a JsonRawValue>>;

/// Returns the answer to a message; `None` if it is not to be answered, or if the client has left.
pub async fn answer(data: &[u8], context: Context<'_>) -> Option<MethodResponse> {
    // Servers of JSON-RPC look no further for the first byte.
    let start = data.iter().take(128).position(|byte| !byte.is_ascii_whitespace());
    let data = start.map_or(data, |start| &data[start..]);
    match data.first() {
        Some(b'{') => call(data, &context).await,
        Some(b'[') => batch(data, &context).await,
        _ => Some(MethodResponse::error(Id::Null, ErrorCode::ParseError)),
    }
}

async fn call(data: &[u8], context: &Context<'_>) -> Option<MethodResponse> {
    if let Ok(mut request) = serde_json::from_slice::<Request<'_>>(data) {
        request.extensions = context.extensions.clone();
        return Some(context.service.call(request).await);
    }
    if serde_json::from_slice::<Told<'_>>(data).is_ok() {
        return None;
    }
    let (id, code) = prepare_error(data);
    Some(MethodResponse::error(id, ErrorObject::from(code)))
}

async fn batch(data: &[u8], context: &Context<'_>) -> Option<MethodResponse> {
    let most = match context.batches {
        BatchRequestConfig::Disabled => {
            let (code, message) = (BATCHES_NOT_SUPPORTED_CODE, BATCHES_NOT_SUPPORTED_MSG);
            let error = ErrorObject::borrowed(code, message, None);
            return Some(MethodResponse::error(Id::Null, error));
        }
        BatchRequestConfig::Limit(limit) => limit as usize,
        BatchRequestConfig::Unlimited => usize::MAX,
    };
    let _turn = tokio::select! {
        biased;
        turn = context.connection.batches.acquire() => turn,
        () = context.connection.until_cut() => return None,
    };
    context.slot.batch().await;
    let Some(calls) = Elements::of(data) else {
        return Some(MethodResponse::error(Id::Null, ErrorCode::ParseError));
    };
    if calls.len() > most {
        return Some(MethodResponse::error(Id::Null, reject_too_big_batch_request(most)));
    }
    let mut told = false;
    let mut answers = BatchResponseBuilder::new_with_limit(context.most);
    for call in calls {
        if context.connection.is_cut() {
            return None;
        }
        let answer = if let Ok(mut request) = serde_json::from_str::<Request<'_>>(call.get()) {
            request.extensions = context.extensions.clone();
            context.service.call(request).await
        } else if serde_json::from_str::<Told<'_>>(call.get()).is_ok() {
            told = true;
            continue;
        } else {
            let id = serde_json::from_str::<InvalidRequest<'_>>(call.get());
            let id = id.map_or(Id::Null, |invalid| invalid.id);
            let answer = MethodResponse::error(id, ErrorCode::InvalidRequest);
            context.slot.answered(answer.as_result().len()).await.ok()?;
            answer
        };
        if let Err(too_large) = answers.append(&answer) {
            return Some(too_large);
        }
    }
    if told && answers.is_empty() {
        return None;
    }
    Some(MethodResponse::from_batch(answers.finish()))
}
