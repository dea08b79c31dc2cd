// SPDX-License-Identifier: Apache-2.0
//! The order of a job, from the prompt to the block that creates it. Every error that can be found
//! beforehand is reported before anything is sent.

use crate::{
    allowed_operators::{self, AllowedOperators},
    args::RunArgs,
    fault::Fault,
    funds::{self, Need},
    models::{KnownModel, Models},
    progress::Progress,
    session::Session,
};
use anyhow::{Context, Result};
use assay_primitives::{
    api::QuoteError, job::MAX_PEER_ID_LENGTH, Balance, JobId, JobSpec, NumericProfile, Payment,
    PeerIdBytes, Privacy,
};
use assay_runtime::{AccountId, RuntimeCall, RuntimeEvent};
use std::io::Read;

/// A job that was created.
pub struct Ordered {
    /// Id of the job.
    pub job: JobId,
    /// The model that runs it.
    pub model: KnownModel,
    /// The client that pays for it.
    pub client: AccountId,
    /// Seed of the sampling.
    pub seed: u64,
    /// Length of the prompt in tokens.
    pub input_tokens: u32,
    /// Price per token that the payment allows for.
    pub price: Balance,
    /// Amount on hold, including the bounty.
    pub held: Balance,
    /// Block in which the job was created.
    pub block: u32,
}

/// The bits of a random seed: below 2^53 every JSON parser reads it exactly.
const SEED_BITS: u32 = 53;

/// Creates a job as the arguments say, and waits until it is in a block.
pub async fn place(session: &Session, args: &RunArgs) -> Result<Ordered> {
    let prompt = prompt(&args.prompt)?;
    if args.max_tokens == 0 {
        return Err(quote_fault(QuoteError::MaxTokensZero, 0, 0));
    }
    if prompt.is_empty() {
        return Err(quote_fault(QuoteError::InputEmpty, 0, 0));
    }
    let signer = session.signer()?;
    let client = session.account()?;
    let progress = Progress::new("asking for the price");
    let chain = &session.chain;
    let node = chain.node_status().await?;
    let models = Models::read(chain, &node).await?;
    let model = models.choose(args.model.as_deref())?;
    let payload = chain.submit_payload(&prompt, &model.id).await?;
    let input_tokens = payload.tokens.or(args.input_tokens).ok_or_else(|| {
        Fault::error(
            "tokens_unknown",
            format!(
                "the node does not have the model {model} and cannot count the tokens of the prompt; \
                 use a node that has it, or give the number with --input-tokens"
            ),
        )
    })?;
    let quote = chain
        .quote(model.id, input_tokens, args.max_tokens)
        .await?
        .map_err(|error| quote_fault(error, input_tokens, args.max_tokens))?;
    let length = input_tokens.saturating_add(args.max_tokens);
    let allowed = AllowedOperators::read(chain, &args.operators, &model.id, length).await?;
    let price = allowed.price.unwrap_or(quote.price);
    let (payment, held) = payment(args, price, quote.bounty)?;
    let count = allowed.operators.len();
    let seed = match args.sampling.seed {
        Some(seed) => seed,
        None if args.sampling.temperature.0 == 0 => 0,
        None => rand::random::<u64>() >> (u64::BITS - SEED_BITS),
    };
    let spec = JobSpec {
        model: model.id,
        input_hash: payload.hash,
        input_tokens,
        max_tokens: args.max_tokens,
        seed,
        sampling: args.sampling.sampling(),
        profile: NumericProfile::N1,
        not_before: args.not_before,
        deadline: args.deadline,
        privacy: Privacy::Public,
        output_key: None,
        auto_lock: true,
        peer: peer_id(&node.peer_id)?,
        allowed: allowed.operators.try_into().map_err(|_| allowed_operators::too_many(count))?,
    };
    let expected = chain.next_job_id(&client, &spec).await?;
    let call = RuntimeCall::Jobs(pallet_jobs::Call::create { spec, payment });
    let extrinsic = chain.sign(&signer, call).await?;
    let need = Need {
        amount: held,
        what: "the job",
        goes: "on hold",
        advice: "send it more, or ask for fewer tokens",
    };
    funds::ensure(chain, &client, &extrinsic, &need).await?;
    progress.say("waiting for the job to be in a block");
    let included = chain.submit_signed(&extrinsic, &client).await?;
    let created = included.events.iter().find_map(|event| match event {
        RuntimeEvent::Jobs(pallet_jobs::Event::JobCreated { job, .. }) => Some(*job),
        _ => None,
    });
    // Another job of the client may have been created first; the event names this one.
    let job = created.unwrap_or(expected);
    Ok(Ordered { job, model, client, seed, input_tokens, price, held, block: included.number })
}

fn prompt(arg: &str) -> Result<Vec<u8>> {
    if arg != "-" {
        return Ok(arg.as_bytes().to_vec());
    }
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .context("cannot read the prompt from standard input")?;
    Ok(bytes)
}

/// Returns the payment for a job, and the amount that its creation holds, including the bounty.
fn payment(args: &RunArgs, price: Balance, bounty: Balance) -> Result<(Payment, Balance)> {
    let tokens = Balance::from(args.max_tokens);
    // The chain refuses a cost below one unit per token.
    let cost = price.checked_mul(tokens).map(|cost| cost.max(tokens));
    let payment = cost.map(|cost| Payment { down: args.down.0, cost, tip: args.tip.0 });
    let held = payment.and_then(|payment| Some((payment, payment.total()?.checked_add(bounty)?)));
    held.ok_or_else(|| {
        Fault::error(
            "jobs.PaymentOverflow",
            "the payment exceeds the largest balance; lower --tip, --down or --max-tokens",
        )
    })
}

/// Converts the reason for which there is no quote, with the code of the chain's own error.
fn quote_fault(error: QuoteError, input_tokens: u32, max_tokens: u32) -> anyhow::Error {
    match error {
        QuoteError::MaxTokensZero => {
            Fault::error("jobs.MaxTokensZero", "--max-tokens is 0; ask for at least one token")
        }
        QuoteError::InputEmpty => Fault::error(
            "jobs.InputEmpty",
            "the prompt is empty; write some text, or - to read it from standard input",
        ),
        QuoteError::ModelNotServed => Fault::error(
            "jobs.ModelNotServed",
            "no operator serves the model; `assay operator list` shows the models served",
        ),
        QuoteError::ContextExceeded { context } => Fault::error(
            "jobs.ContextExceeded",
            format!(
                "the prompt of {input_tokens} tokens and --max-tokens {max_tokens} together exceed \
                 the model's context of {context}; shorten the prompt or lower --max-tokens"
            ),
        ),
    }
}

/// Decodes the node's peer id into the chain's form.
fn peer_id(text: &str) -> Result<PeerIdBytes> {
    let bytes = bs58::decode(text)
        .into_vec()
        .with_context(|| format!("the node's peer id '{text}' is malformed"))?;
    PeerIdBytes::try_from(bytes).map_err(|_| {
        Fault::error(
            "peer_id_too_long",
            format!("the node's peer id has more than {MAX_PEER_ID_LENGTH} bytes"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    #[test]
    fn quote_fault_has_the_code_of_the_pallet() {
        for (error, code) in [
            (QuoteError::MaxTokensZero, "jobs.MaxTokensZero"),
            (QuoteError::InputEmpty, "jobs.InputEmpty"),
            (QuoteError::ModelNotServed, "jobs.ModelNotServed"),
            (QuoteError::ContextExceeded { context: 8 }, "jobs.ContextExceeded"),
        ] {
            let fault = quote_fault(error, 5, 4);
            assert_eq!(fault.downcast_ref::<Fault>().unwrap().code, code);
        }
    }

    #[test]
    fn payment_beyond_a_balance_is_refused() {
        let cli = Cli::try_parse_from(["assay", "run", "In the beginning", "-n", "64"]).unwrap();
        let Command::Run(args) = cli.command else { panic!("it is `assay run`") };
        let (payment, held) = payment(&args, 10, 5).unwrap();
        assert_eq!((payment.cost, held), (640, 645));
        for (price, bounty) in [(Balance::MAX / 64 + 1, 0), (Balance::MAX / 64, 64)] {
            let fault = super::payment(&args, price, bounty).unwrap_err();
            assert_eq!(fault.downcast_ref::<Fault>().unwrap().code, "jobs.PaymentOverflow");
        }
    }

    #[test]
    fn peer_id_has_a_limit() {
        assert_eq!(peer_id(&bs58::encode([7; 64]).into_string()).unwrap().len(), 64);
        let fault = peer_id(&bs58::encode([7; 65]).into_string()).unwrap_err();
        assert_eq!(fault.downcast_ref::<Fault>().unwrap().code, "peer_id_too_long");
    }
}
