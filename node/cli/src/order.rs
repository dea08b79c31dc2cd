// SPDX-License-Identifier: Apache-2.0
//! The order of a job, from the prompt to the block that creates it. Every error that can be found
//! beforehand is reported before anything is sent.

use crate::{
    allowed_operators::{self, AllowedOperators},
    amount::Amount,
    args::OrderArgs,
    audit_fees::AuditFees,
    bounded,
    chain::Chain,
    fault::{Fault, OfJob},
    funds::Need,
    length::Length,
    limit::Limit,
    models::{KnownModel, Models},
    order_limits, out,
    progress::Progress,
    request,
    session::Session,
    submit::{self, News},
};
use anyhow::{anyhow, Context, Result};
use assay_engine::StopStrings;
use assay_primitives::{
    api::{Quote, QuoteError, Verifiers},
    job::MAX_PEER_ID_LENGTH,
    request::MAX_REQUEST_BYTES,
    Balance, JobId, JobSpec, NumericProfile, Payment, PeerIdBytes, Prices, Privacy, Request,
    Verification,
};
use assay_runtime::{AccountId, RuntimeCall, RuntimeEvent};
use sp_runtime::Permill;
use std::{cell::Cell, io::stdin};

/// A job that is ready to be created.
pub struct Order {
    spec: JobSpec<AccountId>,
    payment: Payment,
    /// The stop strings of its request.
    pub stops: StopStrings,
    /// The model that runs it.
    pub model: KnownModel,
    /// The client that pays for it.
    pub client: AccountId,
    /// Prices per token that the payment allows for.
    pub prices: Prices,
    /// Amount that its creation holds, including bounty, deposit and the fees of an audit.
    pub held: Balance,
    /// The part of it that is for the fees of the audit that the client asks for.
    pub audit_fees: Balance,
}

/// A job that was created.
pub struct Ordered {
    /// Id of the job.
    pub job: JobId,
    /// Block in which the job was created.
    pub block: u32,
}

/// The bits of a random seed: below 2^53 every JSON parser reads it exactly.
const SEED_BITS: u32 = 53;

/// Prepares a job for the prompt that the arguments name, as [`of_request`] does.
pub async fn prepare(session: &Session, args: &OrderArgs) -> Result<Order> {
    let prompt = prompt(&args.prompt)?;
    if args.max_tokens == 0 {
        return Err(quote_fault(QuoteError::MaxTokensZero, Length::Exactly(0), 0));
    }
    if prompt.is_empty() {
        return Err(quote_fault(QuoteError::InputEmpty, Length::Exactly(0), 0));
    }
    of_request(session, args, request::of(args, prompt)?).await
}

/// Prepares a job for a request as the arguments say: hands it to the node, and finds out the price. Nothing
/// leaves this machine if the job would hold more than the client allows.
pub async fn of_request(session: &Session, args: &OrderArgs, request: Request) -> Result<Order> {
    order_limits::ensure(args)?;
    let client = session.account()?;
    let _progress = Progress::new("asking for the price");
    let chain = &session.chain;
    if args.not_before > 0 {
        order_limits::ensure_start(args.not_before, chain.best().await?)?;
    }
    let node = chain.node_status().await?;
    let models = Models::read(chain, &node).await?;
    let model = models.choose(args.model.as_deref())?;
    let limit = Limit::of(args.max_cost, &session.settings);
    // A prompt whose length only the node can count has at least one token, which is a first bound.
    let least = args.input_tokens.map_or(Length::AtLeast(1), Length::Exactly);
    let (likely, _, quote) = prices(chain, args, &model, least).await?;
    let fees = AuditFees::read(chain, args).await?;
    ensure_within(limit.as_ref(), payment(args, likely, least, &quote, fees)?.held)?;
    let payload = chain.submit_request(&request, &model.id).await?;
    let input_tokens = payload.tokens.or(args.input_tokens).ok_or_else(|| {
        Fault::error(
            "tokens_unknown",
            format!(
                "the node does not have the model {model} and cannot count the tokens of the prompt; \
                 use a node that has it, or give the number with --input-tokens"
            ),
        )
    })?;
    order_limits::ensure_input(input_tokens)?;
    let length = Length::Exactly(input_tokens);
    let (prices, allowed, quote) = prices(chain, args, &model, length).await?;
    let deadline = order_limits::deadline(args, &quote)?;
    let Paid { payment, held, audit_fees } = payment(args, prices, length, &quote, fees)?;
    ensure_within(limit.as_ref(), held)?;
    if args.audit {
        out::note(&format!(
            "The audit costs at most {} in addition to at most {} for the answer; what it costs less \
             returns.",
            Amount(audit_fees),
            Amount(payment.cost),
        ));
    }
    let count = allowed.operators.len();
    let seed = match args.sampling.seed {
        Some(seed) => seed,
        None if args.sampling.temperature.0 == 0 => 0,
        None => rand::random::<u64>() >> (u64::BITS - SEED_BITS),
    };
    let spec = JobSpec {
        model: model.id,
        request_hash: request.hash(),
        input_tokens,
        max_tokens: args.max_tokens,
        seed,
        sampling: args.sampling.sampling(),
        profile: NumericProfile::N1,
        not_before: args.not_before,
        deadline,
        privacy: Privacy::Public,
        output_key: None,
        peer: peer_id(&node.peer_id)?,
        allowed: allowed.operators.try_into().map_err(|_| allowed_operators::too_many(count))?,
        verification: args.verification.into(),
        audit: args.audit,
        referrer: None,
    };
    if spec.verification == Verification::Required {
        if let Some(why) = waits(&quote.verifiers) {
            out::note(&why);
        }
    }
    let stops = request::stops(&request);
    Ok(Order { spec, payment, stops, model, client, prices, held, audit_fees })
}

/// Returns the prices per token of a job, with the operators that may run it and the chain's quote.
async fn prices(
    chain: &Chain,
    args: &OrderArgs,
    model: &KnownModel,
    prompt: Length,
) -> Result<(Prices, AllowedOperators, Quote)> {
    let quote = chain
        .quote(model.id, prompt.tokens(), args.max_tokens)
        .await?
        .map_err(|error| quote_fault(error, prompt, args.max_tokens))?;
    let length = prompt.and(args.max_tokens);
    let allowed = AllowedOperators::read(chain, &args.operators, &model.id, length).await?;
    Ok((allowed.prices.unwrap_or(quote.prices), allowed, quote))
}

impl Order {
    /// Creates the job, and waits until it is in a block. The id of the job is in `announced` for as long as
    /// the job may exist, and each error in this time names it.
    pub async fn place(
        &self,
        session: &Session,
        announced: &Cell<Option<JobId>>,
    ) -> Result<Ordered> {
        let need = Need {
            amount: self.held,
            what: "the job",
            goes: "on hold",
            otherwise: ", or ask for fewer tokens",
        };
        let (spec, payment) = (self.spec.clone(), self.payment);
        let call = RuntimeCall::Jobs(pallet_jobs::Call::create { spec, payment });
        let announce = async |news: News<'_>| {
            let job = match news {
                News::Sending(signed) => Some(session.chain.id_of_job(signed, &self.spec).await?),
                News::NoEffect => None,
            };
            if let Some(job) = job {
                out::note(&format!("Job {job:?}, sent to {}", session.settings.url));
            }
            announced.set(job);
            Ok::<_, anyhow::Error>(())
        };
        let included = match session.submit_announced(call, Some(&need), announce).await {
            Ok(included) => included,
            Err(error) if submit::may_take_effect(&error) => {
                return Err(about(announced.get(), error))
            }
            Err(error) => return Err(error),
        };
        let created = included.events.iter().find_map(|event| match event {
            RuntimeEvent::Jobs(pallet_jobs::Event::JobCreated { job, .. }) => Some(*job),
            _ => None,
        });
        let Some(job) = created else {
            let error = included.not_shown(anyhow!("the block has no event that names the job"));
            return Err(about(announced.get(), error));
        };
        announced.set(Some(job));
        Ok(Ordered { job, block: included.number })
    }

    /// Returns the seed of the sampling.
    pub fn seed(&self) -> u64 {
        self.spec.seed
    }

    /// Returns the most that the answer can cost, with the fees of an audit.
    pub fn cost(&self) -> Balance {
        self.payment.total().unwrap_or(Balance::MAX).saturating_add(self.audit_fees)
    }

    /// Returns the most tokens of the output.
    pub fn max_tokens(&self) -> u32 {
        self.spec.max_tokens
    }

    /// Returns the length of the prompt in tokens.
    pub fn input_tokens(&self) -> u32 {
        self.spec.input_tokens
    }
}

/// Returns why a job waits that requires verification; `None` if enough operators can check it.
fn waits(verifiers: &Verifiers) -> Option<String> {
    if verifiers.suffice() {
        return None;
    }
    let Verifiers { operators, stake, fewest_operators, least_stake } = *verifiers;
    let percent = |part: Permill| f64::from(part.deconstruct()) / 10_000.0;
    Some(format!(
        "Too few operators can check the job now: {operators} with {} % of all stake, and it needs \
         {fewest_operators} with {} %. It waits for more until its deadline, and then all returns. Order with \
         --verification if-possible to have it run nevertheless",
        percent(stake),
        percent(least_stake),
    ))
}

/// Names the job that an order may have created, and how to find out.
fn about(job: Option<JobId>, error: anyhow::Error) -> anyhow::Error {
    match job {
        Some(job) => error
            .context(format!("`assay job status {job:?}` shows whether it exists"))
            .context(OfJob(job)),
        None => error,
    }
}

/// Fails if a job would hold more than its client allows.
fn ensure_within(limit: Option<&Limit>, held: Balance) -> Result<()> {
    limit.map_or(Ok(()), |limit| limit.ensure(held, "ask for fewer tokens"))
}

fn prompt(arg: &str) -> Result<Vec<u8>> {
    if arg != "-" {
        return Ok(arg.as_bytes().to_vec());
    }
    bounded::bytes(stdin().lock(), MAX_REQUEST_BYTES, "the prompt from standard input")
}

/// The amounts that a job puts on hold.
struct Paid {
    /// The payment.
    payment: Payment,
    /// All of it, including bounty, deposit and the fees of an audit.
    held: Balance,
    /// The fees of an audit.
    audit_fees: Balance,
}

/// Returns what a job puts on hold.
fn payment(
    args: &OrderArgs,
    prices: Prices,
    prompt: Length,
    quote: &Quote,
    fees: AuditFees,
) -> Result<Paid> {
    let cost = prices.of(prompt.tokens(), args.max_tokens).max(quote.least_cost);
    let payment = Payment { down: args.down.0, cost, tip: args.tip.0 };
    let audit_fees = fees.most(prompt.tokens(), args.max_tokens, cost);
    let held = payment.total().and_then(|total| {
        total.checked_add(quote.bounty)?.checked_add(quote.deposit)?.checked_add(audit_fees)
    });
    held.map(|held| Paid { payment, held, audit_fees }).ok_or_else(|| {
        Fault::error(
            "jobs.PaymentOverflow",
            "the payment exceeds the largest balance; lower --tip, --down or --max-tokens",
        )
    })
}

/// Converts the reason for which there is no quote, with the code of the chain's own error.
fn quote_fault(error: QuoteError, prompt: Length, max_tokens: u32) -> anyhow::Error {
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
                "the prompt of {prompt} and --max-tokens {max_tokens} together exceed \
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
            let fault = quote_fault(error, Length::Exactly(5), 4);
            assert_eq!(fault.downcast_ref::<Fault>().unwrap().code, code);
        }
    }

    #[test]
    fn order_of_unknown_outcome_names_the_job_and_how_to_find_out() {
        let job = JobId::repeat_byte(7);
        let error = about(Some(job), Fault::error("outcome_unknown", "the cause"));
        assert_eq!(error.downcast_ref(), Some(&OfJob(job)));
        assert!(submit::may_take_effect(&error));
        assert!(format!("{error:#}").contains(&format!("assay job status {job:?}")), "{error:#}");
    }

    #[test]
    fn prompt_that_nobody_has_counted_is_not_called_one_token() {
        let error = QuoteError::ContextExceeded { context: 8 };
        let message = |prompt| quote_fault(error, prompt, 8).to_string();
        assert!(message(Length::AtLeast(1)).contains("prompt of at least 1 token and"));
        assert!(message(Length::Exactly(5)).contains("prompt of 5 tokens and"));
    }

    #[test]
    fn payment_beyond_a_balance_is_refused() {
        let cli = Cli::try_parse_from(["assay", "run", "In the beginning", "-n", "64"]).unwrap();
        let Command::Run(args) = cli.command else { panic!("it is `assay run`") };
        let verifiers = Verifiers {
            operators: 0,
            stake: Permill::zero(),
            fewest_operators: 8,
            least_stake: Permill::zero(),
        };
        let quote = |least_cost, bounty| Quote {
            verifiers,
            prices: Prices::default(),
            payment: Payment::default(),
            least_cost,
            bounty,
            deposit: 0,
            total: 0,
            tokens_per_block: 60,
            shortest_deadline: 5,
            routed_deadline: 6,
            audit: 0,
        };
        let prompt = Length::Exactly(100);
        let paid = |output, quote: Quote| {
            payment(&args.order, Prices { input: 2, output }, prompt, &quote, AuditFees::NONE)
                .map(|paid| (paid.payment.cost, paid.held))
        };
        assert_eq!(paid(10, quote(0, 5)).unwrap(), (840, 845));
        assert_eq!(paid(10, quote(841, 5)).unwrap(), (841, 846));
        for (price, bounty) in [(Balance::MAX / 64 + 1, 1), (1, Balance::MAX - 200)] {
            let fault = paid(price, quote(0, bounty)).unwrap_err();
            assert_eq!(fault.downcast_ref::<Fault>().unwrap().code, "jobs.PaymentOverflow");
        }
    }

    #[test]
    fn job_that_too_few_can_check_is_told_with_the_numbers() {
        let few = Verifiers {
            operators: 7,
            stake: Permill::from_parts(83_300),
            fewest_operators: 8,
            least_stake: Permill::from_percent(10),
        };
        let why = waits(&few).unwrap();
        assert!(why.contains("7 with 8.33 % of all stake, and it needs 8 with 10 %"), "{why}");
        assert_eq!(waits(&Verifiers { operators: 8, stake: few.least_stake, ..few }), None);
    }

    #[test]
    fn peer_id_has_a_limit() {
        assert_eq!(peer_id(&bs58::encode([7; 64]).into_string()).unwrap().len(), 64);
        let fault = peer_id(&bs58::encode([7; 65]).into_string()).unwrap_err();
        assert_eq!(fault.downcast_ref::<Fault>().unwrap().code, "peer_id_too_long");
    }
}
