// SPDX-License-Identifier: Apache-2.0
//! Calls of methods, each of which waits for room for its answer before it is computed.

use super::{first::Firsts, slot::Slot};
use futures::future::BoxFuture;
use jsonrpsee::{
    core::traits::IdProvider,
    server::{
        middleware::rpc::RpcServiceT, BoundedSubscriptions, MethodCallback, MethodSink, Methods,
        SubscriptionState,
    },
    types::{error::reject_too_many_subscriptions, ErrorCode, ErrorObject, Params, Request},
    ConnectionId, MethodResponse,
};
use std::sync::Arc;

/// The methods as one connection calls them.
#[derive(Clone)]
pub struct Calls {
    /// The methods.
    pub methods: Methods,
    /// The number of the connection.
    pub connection: ConnectionId,
    /// The longest answer, in bytes.
    pub most: usize,
    /// The methods that can wait for long. They take room for an answer themselves, once they have it, or
    /// their answers are short.
    pub patient: &'static [&'static str],
    /// The subscriptions of the connection, unless it is one over HTTP.
    pub subscriptions: Option<Subscriptions>,
}

/// The subscriptions of a connection.
#[derive(Clone)]
pub struct Subscriptions {
    /// The places for subscriptions.
    pub places: BoundedSubscriptions,
    /// The sink of their messages.
    pub sink: MethodSink,
    /// The source of their ids.
    pub ids: Arc<dyn IdProvider>,
    /// The first messages of those that have just begun.
    pub firsts: Firsts,
}

impl<'a> RpcServiceT<'a> for Calls {
    type Future = BoxFuture<'a, MethodResponse>;

    fn call(&self, request: Request<'a>) -> Self::Future {
        let calls = self.clone();
        Box::pin(async move { calls.answer(request).await })
    }
}

impl Calls {
    async fn answer(self, request: Request<'_>) -> MethodResponse {
        let slot = request.extensions.get::<Slot>().cloned();
        let known = self.methods.method_with_name(&request.method);
        let Some((name, callback)) = known.map(|(name, callback)| (name, callback.clone())) else {
            return refuse(request, ErrorCode::MethodNotFound.into());
        };
        // A subscription waits until its answer is among the messages of subscriptions, which wait for room
        // themselves: it must not hold any that they need.
        let subscribes = matches!(callback, MethodCallback::Subscription(_));
        let computing = match &slot {
            Some(slot) if subscribes || self.patient.contains(&name) => {
                slot.rest().await;
                None
            }
            Some(slot) => match slot.reserve().await {
                Ok(()) => Some(slot.compute()),
                // Nobody reads this.
                Err(_) => return refuse(request, ErrorCode::ServerIsBusy.into()),
            },
            None => None,
        };
        let response = self.run(callback, request).await;
        drop(computing);
        if let Some(slot) = slot {
            // Whether anybody is still there to be answered is found later.
            let _ = slot.answered(response.as_result().len()).await;
        }
        response
    }

    async fn run(&self, callback: MethodCallback, request: Request<'_>) -> MethodResponse {
        let subscriptions = self.subscriptions.as_ref();
        if let MethodCallback::Sync(_) | MethodCallback::Async(_) = callback {
        } else if subscriptions.is_none() {
            return refuse(request, ErrorCode::InternalError.into());
        }
        let (connection, most) = (self.connection, self.most);
        let place = match (&callback, subscriptions) {
            (
                MethodCallback::Subscription(_),
                Some(Subscriptions { places, sink, ids, firsts }),
            ) => match places.acquire() {
                Some(place) => Some((place, sink.clone(), firsts.expect(ids.next_id()))),
                None => return refuse(request, reject_too_many_subscriptions(places.max())),
            },
            _ => None,
        };
        let Request { id, params, extensions, .. } = request;
        let params = Params::new(params.as_ref().map(|params| params.get()));
        match callback {
            MethodCallback::Sync(call) => call(id, params, most, extensions),
            MethodCallback::Unsubscription(call) => call(id, params, connection, most, extensions),
            MethodCallback::Async(call) => {
                call(id.into_owned(), params.into_owned(), connection, most, extensions).await
            }
            MethodCallback::Subscription(call) => {
                let Some((subscription_permit, sink, first)) = place else {
                    return MethodResponse::error(id, ErrorCode::InternalError);
                };
                let answer = {
                    let id_provider = &*first;
                    let conn_id = connection;
                    let state = SubscriptionState { conn_id, id_provider, subscription_permit };
                    call(id, params, sink, state, extensions)
                };
                let mut response = answer.await;
                if response.is_success() {
                    response.extensions_mut().insert(first);
                }
                response
            }
        }
    }
}

fn refuse(request: Request<'_>, error: ErrorObject<'_>) -> MethodResponse {
    MethodResponse::error(request.id, error).with_extensions(request.extensions)
}
