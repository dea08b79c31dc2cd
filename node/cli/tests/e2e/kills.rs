// SPDX-License-Identifier: Apache-2.0
//! Nodes that are killed at random while they work. It takes 20 minutes, so it runs only when it is asked
//! for: `./scripts/test.sh kills SEED`. The same seed kills the same nodes after the same times and orders
//! the same jobs, as far as the machine keeps up.

use crate::{
    books::{fees, Books},
    cli::{at, planck},
    network::{start, Topology},
    node::Node,
    separate_nodes::{count_tokens, follows},
    spec::{NodeSpec, OTHERS},
};
use assay_primitives::{job::Payment, JobId, Settlement};
use assay_runtime::{AccountId, Balance, Hash, RuntimeEvent};
use jsonrpsee::rpc_params;
use rand::{rngs::StdRng, Rng, SeedableRng};
use serde_json::Value;
use sp_keyring::Sr25519Keyring;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// The prompt of all jobs.
const PROMPT: &str = "In the beginning";

/// The seed and the time of a run.
struct Plan {
    seed: u64,
    time: Duration,
}

impl Plan {
    /// Reads them from `ASSAY_KILLS_SEED` and `ASSAY_KILLS_MINUTES`.
    fn from_env() -> Self {
        let number = |name: &str| {
            let text = std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
            text.parse().unwrap_or_else(|_| panic!("{name} is '{text}', not a number"))
        };
        Self {
            seed: number("ASSAY_KILLS_SEED"),
            time: Duration::from_secs(60 * number("ASSAY_KILLS_MINUTES")),
        }
    }
}

/// All that the chain says of a job.
#[derive(Default, Debug)]
struct Story {
    payment: Option<Payment>,
    settlements: Vec<Settlement<AccountId>>,
}

#[tokio::test]
#[ignore = "it takes 20 minutes: ./scripts/test.sh kills SEED"]
async fn random_kills_lose_nothing() {
    let Plan { seed, time } = Plan::from_env();
    // The events of all blocks are read at the end.
    let archive = &["--state-pruning", "archive"];
    let specs = [
        NodeSpec::validator("Alice").with(archive),
        NodeSpec::operators(&OTHERS[..5]).with_workers(&["Alice"]),
        NodeSpec::operators(&OTHERS[5..]),
    ];
    let mut nodes = start(Topology::Full, specs).await;
    for node in &nodes {
        follows(node).await;
    }
    let input = count_tokens(&nodes[1], PROMPT).await;
    let urls = nodes.each_ref().map(Node::url);
    let before = Books::read(&nodes[0]).await;

    let end = Instant::now() + time;
    let (kills, acknowledged) =
        tokio::join!(kill(&mut nodes, seed, end), order(&urls, &input, seed, end));
    print(&format!("{kills} kills, {} acknowledged jobs", acknowledged.len()));
    assert!(kills > 0 && !acknowledged.is_empty());

    for id in acknowledged.keys() {
        at(&urls[0], &["job", "status", id, "--wait", "--json"]).await;
    }
    let stories = stories(&nodes[0]).await;
    for (id, story) in &stories {
        assert_eq!(story.settlements.len(), 1, "{id:?}: {story:?}");
    }
    balances(&nodes[0], &before, &acknowledged, &stories).await;
}

/// Kills nodes and starts them again, one at a time, and returns how often.
async fn kill<const N: usize>(nodes: &mut [Node; N], seed: u64, end: Instant) -> u32 {
    let mut random = StdRng::seed_from_u64(seed);
    let mut kills = 0;
    loop {
        let pause = Duration::from_millis(random.random_range(2_000..40_000));
        if Instant::now() + pause >= end {
            return kills;
        }
        tokio::time::sleep(pause).await;
        let node = &mut nodes[random.random_range(0..N)];
        node.kill();
        node.restart().await;
        kills += 1;
    }
}

/// Orders jobs, each at a random node, and returns what was held for those that were acknowledged.
async fn order(urls: &[String], input: &str, seed: u64, end: Instant) -> BTreeMap<String, Balance> {
    let mut random = StdRng::seed_from_u64(seed ^ 1);
    let mut acknowledged = BTreeMap::new();
    while Instant::now() < end {
        let url = &urls[random.random_range(0..urls.len())];
        let tokens = random.random_range(1..300u32).to_string();
        let deadline = random.random_range(10..60u32).to_string();
        let [down, tip] = [0, 1].map(|_| format!("{}mASY", random.random_range(0..50u32)));
        let mut args = vec!["job", "create", "--json", "--input-tokens", input];
        args.extend(["--max-tokens", &tokens, "--deadline", &deadline]);
        args.extend(["--down", &down, "--tip", &tip, PROMPT]);
        let said = at(url, &args).await;
        // A node that is down, or goes down, does not acknowledge.
        if said.code == 0 {
            let job = said.json();
            let id = job["job"].as_str().expect("it has an id").to_string();
            assert_eq!(acknowledged.insert(id, planck(&job, "held")), None, "an id came twice");
        }
    }
    acknowledged
}

/// Returns what the chain says of all jobs.
async fn stories(node: &Node) -> BTreeMap<JobId, Story> {
    use pallet_jobs::Event::{JobCreated, JobSettled};
    let chain = node.chain().await;
    let best: assay_cli::chain::Head =
        chain.request("chain_getHeader", rpc_params![]).await.unwrap();
    let mut stories: BTreeMap<JobId, Story> = BTreeMap::new();
    for number in 1..=best.number {
        let hash: Hash = chain.request("chain_getBlockHash", rpc_params![number]).await.unwrap();
        for record in chain.events(hash).await.unwrap() {
            let RuntimeEvent::Jobs(event) = record.event else { continue };
            match event {
                JobCreated { job, payment, .. } => {
                    let story = stories.entry(job).or_default();
                    assert!(story.payment.replace(payment).is_none(), "{job:?} is created twice");
                }
                JobSettled { job, settlement } => {
                    stories.entry(job).or_default().settlements.push(settlement);
                }
                _ => {}
            }
        }
    }
    stories
}

/// Asserts that the client has lost what its jobs cost, to the planck, and that nothing is held.
async fn balances(
    node: &Node,
    before: &Books,
    acknowledged: &BTreeMap<String, Balance>,
    stories: &BTreeMap<JobId, Story>,
) {
    let price = |payment: &Payment| payment.down + payment.cost + payment.tip;
    let mut bounty = None;
    for (id, held) in acknowledged {
        let story = &stories[&id.parse::<JobId>().expect("an id")];
        let payment = story.payment.as_ref().expect("it was created");
        let own = held - price(payment);
        assert_eq!(*bounty.get_or_insert(own), own, "{id}");
    }
    let bounty = bounty.expect("there were jobs");
    let mut cost: Balance = 0;
    for story in stories.values() {
        let held = price(story.payment.as_ref().expect("it was created")) + bounty;
        cost += held;
        cost -= story.settlements.iter().map(|it| it.refunded).sum::<Balance>();
    }
    let after = Books::read(node).await;
    let fees = fees(node, before.number, after.number).await;
    let client = Sr25519Keyring::Ferdie.to_account_id();
    assert_eq!(after.reserved(&client), 0);
    assert_eq!(before.total(&client) - after.total(&client), cost + fees[&client]);
    let operators = at(&node.url(), &["operator", "list", "--json"]).await.ok();
    for operator in operators["operators"].as_array().expect("a list") {
        assert_eq!(operator["reserved"], Value::from("0"), "{operator}");
    }
}

#[allow(clippy::print_stderr, reason = "whoever runs it wants to see it")]
fn print(text: &str) {
    eprintln!("{text}");
}
