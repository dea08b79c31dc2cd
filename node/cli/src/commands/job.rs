// SPDX-License-Identifier: Apache-2.0
//! `assay job`.

use crate::{
    account::AccountArg,
    amount::Amount,
    args::{JobCommand, RunArgs},
    chain::extrinsic::Included,
    exit::Exit,
    follow::{self, unknown, Ended},
    models::Models,
    order, out,
    proof::{self, KnownOutput},
    session::Session,
    view,
};
use anyhow::Result;
use assay_primitives::{JobId, JobState, Payment};
use assay_runtime::{Runtime, RuntimeCall, RuntimeEvent};
use serde_json::{json, Value};

type Call = pallet_jobs::Call<Runtime>;

/// Runs the command.
pub async fn dispatch(session: &Session, command: JobCommand) -> Result<Exit> {
    match command {
        JobCommand::Create(args) => create(session, &args).await,
        JobCommand::Status { id, wait: true, .. } => wait(session, &id).await,
        JobCommand::Status { id, output, .. } => status(session, &id, output).await,
        JobCommand::Raise { id, down, cost, tip } => {
            let part = |amount: Option<Amount>| amount.unwrap_or_default().0;
            let more = Payment { down: part(down), cost: part(cost), tip: part(tip) };
            send(session, &id, Call::raise_payment { job: id, more }).await
        }
        JobCommand::Cancel { id } => send(session, &id, Call::cancel { job: id }).await,
        JobCommand::Confirm { id } => send(session, &id, Call::confirm_received { job: id }).await,
        JobCommand::Settle { id } => send(session, &id, Call::settle { job: id }).await,
        JobCommand::Expire { id } => send(session, &id, Call::expire { job: id }).await,
        JobCommand::List { client } => list(session, client).await,
    }
}

async fn create(session: &Session, args: &RunArgs) -> Result<Exit> {
    let ordered = order::place(session, args).await?;
    let job = ordered.job;
    if session.json {
        out::object(&json!({
            "job": job,
            "client": ordered.client.to_string(),
            "model": ordered.model.id,
            "modelName": ordered.model.name,
            "inputTokens": ordered.input_tokens,
            "maxTokens": args.max_tokens,
            "seed": ordered.seed,
            "price": view::planck(ordered.price),
            "held": view::planck(ordered.held),
            "heldAsy": Amount(ordered.held).decimal(),
            "block": ordered.block,
        }))?;
    } else {
        out::pairs(&[
            ("Job", format!("{job:?}")),
            ("Model", ordered.model.to_string()),
            ("On hold", Amount(ordered.held).to_string()),
            ("Created", format!("in block {}", ordered.block)),
        ])?;
        out::note(&format!("Watch the job with: assay job status {job:?} --wait"));
    }
    Ok(Exit::Done)
}

async fn status(session: &Session, id: &JobId, with_output: bool) -> Result<Exit> {
    let chain = &session.chain;
    let view = chain.job(id).await?.ok_or_else(|| unknown(id))?;
    let output = if with_output { chain.output(id).await? } else { None };
    let known = KnownOutput::new(output, proof::committed(&view.state));
    if session.json {
        let mut object = view::job::json(id, &view);
        if with_output {
            known.put(&mut object);
        }
        out::object(&Value::Object(object))?;
    } else {
        let models = Models::of_node(chain).await?;
        out::pairs(&view::job::rows(id, &view, models.name(&view.spec.model)))?;
        match known.text() {
            Some(text) => {
                out::line(&format!("\n{text}"))?;
                if !known.is_proven() {
                    out::note("This text is the node's word; it is not proven to be the one committed to.");
                }
            }
            None if with_output => out::note("This node has no output of the job."),
            None => {}
        }
    }
    Ok(Exit::Done)
}

async fn wait(session: &Session, id: &JobId) -> Result<Exit> {
    let mut interrupts = follow::interrupts()?;
    let ended = follow::to_the_end(session, id, false, &mut interrupts).await?;
    let Some(ended) = ended else {
        out::note("The job goes on.");
        return Ok(Exit::Detached);
    };
    let Ended { view, .. } = &ended;
    if session.json {
        let mut object = view::job::json(id, view);
        ended.known.put(&mut object);
        out::object(&Value::Object(object))?;
    } else {
        out::line("")?;
        let mut rows = ended.rows();
        rows.push(("Job", format!("{id:?}")));
        out::pairs(&rows)?;
    }
    Ok(ended.exit())
}

/// Sends a call about a job and shows the job after it.
async fn send(session: &Session, id: &JobId, call: Call) -> Result<Exit> {
    let included = session.submit(RuntimeCall::Jobs(call)).await?;
    let view = session.chain.job(id).await?.ok_or_else(|| unknown(id))?;
    if session.json {
        let mut object = view::job::json(id, &view);
        object.insert("included".into(), json!(included.number));
        object.insert("bounty".into(), bounty(&included));
        out::object(&Value::Object(object))?;
    } else {
        let state = match &view.state {
            JobState::Settled(settlement) => {
                format!("{:?}, {} refunded", settlement.outcome, Amount(settlement.refunded))
            }
            state => format!("{}: {}", view::job::state(state), view::job::waiting(state)),
        };
        out::pairs(&[
            ("Job", format!("{id:?}")),
            ("State", state),
            ("Block", included.number.to_string()),
        ])?;
    }
    Ok(Exit::Done)
}

/// Returns whether this very call settled the job, which earns the bounty.
fn bounty(included: &Included) -> Value {
    let settled = included
        .events
        .iter()
        .any(|event| matches!(event, RuntimeEvent::Jobs(pallet_jobs::Event::JobSettled { .. })));
    json!(settled)
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
            JobState::Settled(settlement) => view::settlement::outcome(settlement.outcome),
            state => view::job::state(state),
        };
        out::line(&format!("{id:?}  block {:<8}  {state}", view.created))?;
    }
    if jobs.is_empty() {
        out::note(&format!("{client} has no jobs."));
    }
    Ok(Exit::Done)
}
