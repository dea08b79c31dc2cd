// SPDX-License-Identifier: Apache-2.0
//! `assay job`.

use super::{after::show_after, audit, challenge};
use crate::{
    account::AccountArg,
    amount::Amount,
    args::{CheckArgs, JobCommand, OrderArgs},
    audit_fees::AuditFees,
    commitment::commitment,
    exit::{note_error, Exit},
    fault::OfJob,
    follow::{self, unknown, Facts},
    known_output::KnownOutput,
    limit::Limit,
    models::Models,
    order::{self, Ordered},
    out, request,
    session::Session,
    standing::Standing,
    text_check,
    view::{self, logprobs::Logprobs},
};
use anyhow::{Context, Result};
use assay_primitives::{
    api::JobView,
    parameters::{JobParameters, Parameters},
    Balance, FinishReason, JobId, JobState, Payment,
};
use assay_runtime::{AccountId, Runtime, RuntimeCall};
use serde_json::{json, Value};
use std::cell::Cell;

type Call = pallet_jobs::Call<Runtime>;

/// Runs the command.
pub async fn dispatch(session: &Session, command: JobCommand) -> Result<Exit> {
    match command {
        JobCommand::Create(args) => create(session, &args).await,
        JobCommand::Status { id, wait: true, check, .. } => wait(session, &id, &check).await,
        JobCommand::Status { id, output, check, .. } => {
            status(session, &id, output.then_some(&check)).await
        }
        JobCommand::Raise { id, down, cost, tip, max_cost } => {
            let part = |amount: Option<Amount>| amount.unwrap_or_default().0;
            let more = Payment { down: part(down), cost: part(cost), tip: part(tip) };
            raise(session, &id, more, max_cost).await
        }
        JobCommand::Cancel { id } => send(session, &id, Call::cancel { job: id }).await,
        JobCommand::Confirm { id } => send(session, &id, Call::confirm_received { job: id }).await,
        JobCommand::Settle { id } => send(session, &id, Call::settle { job: id }).await,
        JobCommand::Expire { id } => send(session, &id, Call::expire { job: id }).await,
        JobCommand::Challenge { id } => challenge::challenge(session, &id).await,
        JobCommand::Audit { id, at } => audit::audit(session, &id, at).await,
        JobCommand::List { client } => list(session, client).await,
    }
}

async fn create(session: &Session, args: &OrderArgs) -> Result<Exit> {
    let order = order::prepare(session, args).await?;
    let Ordered { job, block } = order.place(session, &Cell::new(None)).await?;
    if session.json {
        out::object(&json!({
            "job": job,
            "client": order.client.to_string(),
            "model": order.model.id,
            "modelName": order.model.name,
            "inputTokens": order.input_tokens(),
            "maxTokens": args.max_tokens,
            "seed": order.seed(),
            "prices": view::prices::json(order.prices),
            "held": view::planck(order.held),
            "heldAsy": Amount(order.held).decimal(),
            "auditFeesHeld": view::planck(order.audit_fees),
            "block": block,
        }))?;
    } else {
        out::pairs(&[
            ("Job", format!("{job:?}")),
            ("Model", order.model.to_string()),
            ("On hold", Amount(order.held).to_string()),
            ("Created", format!("in block {block}")),
        ])?;
        out::note(&format!("Watch the job with: assay job status {job:?} --wait"));
    }
    Ok(Exit::Done)
}

async fn status(session: &Session, id: &JobId, shown: Option<&CheckArgs>) -> Result<Exit> {
    let chain = &session.chain;
    let view = chain.job(id).await?.ok_or_else(|| unknown(id))?;
    let mut object = view::job::json(id, &view);
    let mut rows = Vec::new();
    if !session.json {
        let models = Models::of_node(chain).await?;
        rows = view::job::rows(id, &view, models.name(&view.spec.model));
    }
    let mut exit = Exit::Done;
    let mut output = None;
    if let Some(check) = shown {
        let known = KnownOutput::new(chain.output(id).await?, id, commitment(&view.state));
        let stops = request::stops_of(chain, id, &view).await;
        if stops.is_none() && known.ends_at_stop() {
            request::note_shown_stop();
        }
        let mut known = known.stopping(&stops.unwrap_or_default());
        if let Some(model) = text_check::open(&view.spec.model, check.model_file.as_deref())? {
            known.compare(&model);
        }
        let standing = Standing::of(&view.state, &known);
        known.put(&mut object);
        standing.put(&mut object);
        rows.extend(standing.words().map(|words| ("Output", words)));
        if let Err(error) = text_check::ensure(id, &known, standing) {
            note_error(&error, &mut object);
            exit = Exit::Failed;
        }
        output = Some(known);
    }
    if session.json {
        out::object(&Value::Object(object))?;
        return Ok(exit);
    }
    out::pairs(&rows)?;
    if let Some(known) = output {
        match known.text() {
            Some(text) => {
                out::line(&format!("\n{text}"))?;
                known.logprobs().map_or(Ok(()), Logprobs::show)?;
            }
            None => out::note("This node has no output of the job."),
        }
    }
    Ok(exit)
}

async fn wait(session: &Session, id: &JobId, check: &CheckArgs) -> Result<Exit> {
    let view = session.chain.job(id).await?.ok_or_else(|| unknown(id))?;
    let model = text_check::open(&view.spec.model, check.model_file.as_deref())?;
    let stops = request::stops_of(&session.chain, id, &view).await;
    if let (None, JobState::Delivered { commitment, .. }) = (&stops, &view.state) {
        if matches!(commitment.finish, FinishReason::Stop(_)) {
            request::note_shown_stop();
        }
    }
    let stops = stops.unwrap_or_default();
    let mut interrupts = follow::interrupts()?;
    match follow::to_the_end(session, id, (model.as_ref(), &stops), &mut interrupts).await? {
        Some(ended) => ended.report(session.json, check.accept_unaudited, Facts::default()),
        None => follow::detach(session, Some(*id), "The job goes on."),
    }
}

/// Raises the payment of a job, unless the job would then hold more than its client allows.
async fn raise(
    session: &Session,
    id: &JobId,
    more: Payment,
    max_cost: Option<Amount>,
) -> Result<Exit> {
    if let Some(limit) = Limit::of(max_cost, &session.settings) {
        let chain = &session.chain;
        let view = chain.job(id).await?.ok_or_else(|| unknown(id))?;
        let parameters: Parameters = chain.call("AssayApi_parameters", ()).await?;
        let held = raised(&view, &more, &parameters.jobs);
        limit.ensure(held, "add less")?;
    }
    send(session, id, Call::raise_payment { job: *id, more }).await
}

/// Returns the amount that a raised job holds, including bounty and deposit. The chain refuses one that
/// is too large for a balance.
fn raised(view: &JobView<AccountId>, more: &Payment, parameters: &JobParameters) -> Balance {
    let cost = view.payment.cost.saturating_add(more.cost);
    let fees = AuditFees::of(&view.spec, parameters);
    let fees = fees.most(view.spec.input_tokens, view.spec.max_tokens, cost);
    let beside = parameters.bounty.saturating_add(parameters.deposit).saturating_add(fees);
    [&view.payment, more]
        .into_iter()
        .fold(beside, |sum, payment| sum.saturating_add(payment.total().unwrap_or(Balance::MAX)))
}

/// Sends a call about a job and shows the job after it.
async fn send(session: &Session, id: &JobId, call: Call) -> Result<Exit> {
    let included = session.submit(RuntimeCall::Jobs(call)).await.context(OfJob(*id))?;
    show_after(session, id, &included).await
}

async fn list(session: &Session, client: Option<AccountArg>) -> Result<Exit> {
    let client = match client {
        Some(client) => client.resolve(&session.chain).await?,
        None => session.account()?,
    };
    let mut jobs = Vec::new();
    for id in session.chain.jobs_of(&client).await? {
        // A job can be pruned between the two reads.
        jobs.extend(session.chain.job(&id).await?.map(|view| (id, view)));
    }
    jobs.sort_by_key(|(_, view)| view.created);
    if session.json {
        let jobs: Vec<_> = jobs.iter().map(|(id, view)| view::job::json(id, view)).collect();
        out::object(&json!({ "client": client.to_string(), "jobs": jobs }))?;
        return Ok(Exit::Done);
    }
    for (id, view) in &jobs {
        let state = match &view.state {
            JobState::Settled(settlement) => settlement.outcome.label(),
            state => view::job::state(state),
        };
        out::line(&format!("{id:?}  block {:<8}  {state}", view.created))?;
    }
    if jobs.is_empty() {
        out::note(&format!("{client} has no jobs."));
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::JobSpec;

    fn view(payment: Payment) -> JobView<AccountId> {
        JobView {
            client: AccountId::new([1; 32]),
            spec: assay_primitives::testing::spec(),
            payment,
            created: 1,
            attempts: 0,
            state: JobState::Open { until: 9 },
            committee: Vec::new(),
            challenge_bond: None,
        }
    }

    #[test]
    fn raised_job_holds_both_payments_the_bounty_and_the_deposit() {
        let parameters = JobParameters {
            accept_window: 0,
            challenge_window: 0,
            retention: 0,
            lateness_fraction: Default::default(),
            verifier_share: Default::default(),
            verifiers_stake: Default::default(),
            generation_speed: Default::default(),
            bounty: 600_000,
            burn_share: Default::default(),
            verification_price: 0,
            deposit: 7_000_000,
            challenge_reward: Default::default(),
        };
        let view = view(Payment { down: 1, cost: 20, tip: 300 });
        let more = Payment { down: 4_000, cost: 0, tip: 50_000 };
        assert_eq!(raised(&view, &more, &parameters), 7_654_321);
        let all = Payment { cost: Balance::MAX, ..more };
        assert_eq!(raised(&view, &all, &parameters), Balance::MAX);
        // A job that asks for an audit holds three fees of 30 tokens too.
        let parameters = JobParameters { verification_price: 100_000_000, ..parameters };
        let spec = JobSpec { audit: true, ..view.spec.clone() };
        let asks = JobView { spec, ..view };
        assert_eq!(raised(&asks, &more, &parameters), 9_007_654_321);
    }
}
