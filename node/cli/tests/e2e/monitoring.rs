// SPDX-License-Identifier: Apache-2.0
//! The metrics of a node, and the dashboard and the alerts over them, in a real Prometheus.

use crate::{
    cli::assay,
    http,
    network::alone,
    node::Node,
    prometheus::{promtool, read, Prometheus},
    spec::NodeSpec,
    wait::wait_for,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

/// The longest that a value may take to show: an epoch of a development chain and its finality.
const SHOWN: Duration = Duration::from_secs(240);

/// The page on which operators find metrics and alerts.
const PAGE: &str = "../../docs/operator.md";

/// Starts a development chain that serves metrics.
async fn measured(options: &[&str]) -> Node {
    alone(NodeSpec::dev().with(options).with_metrics()).await
}

/// Buys an answer and returns the outcome.
async fn outcome(node: &Node) -> Value {
    let args = ["run", "--json", "--max-tokens", "40", "In the beginning"];
    assay(node, &args).await.json()["outcome"].clone()
}

/// Waits until an expression has a series whose value is greater than zero.
async fn until_positive(prometheus: &Prometheus, expression: &str) {
    wait_for(&format!("{expression} is positive"), SHOWN, async || {
        prometheus.query(expression).await.iter().any(|value| *value > 0.0)
    })
    .await;
}

/// Returns the titles and the expressions of all panels.
fn expressions() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&read("dashboard.json")).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("a dashboard has panels");
    let mut found = Vec::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let title = panel["title"].as_str().expect("a panel has a title");
        assert!(!panel["description"].as_str().unwrap_or_default().is_empty(), "{title}");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title} has no unit");
        let targets = panel["targets"].as_array().expect("a panel has queries");
        assert!(!targets.is_empty(), "{title} has no query");
        for target in targets {
            let query = target["expr"].as_str().expect("a query has an expression");
            // As Grafana does, with all nodes selected.
            let query = query.replace("$__rate_interval", "5m").replace("$instance", ".*");
            assert!(!query.contains('$'), "{title}: {query} has a variable that is not known");
            found.push((title.to_owned(), query));
        }
    }
    found
}

/// Returns the selectors of Assay's and Substrate's series in an expression.
fn selectors(expression: &str) -> Vec<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(start) = ["assay_", "substrate_"].iter().filter_map(|p| rest.find(p)).min() {
        rest = &rest[start..];
        let mut end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        if rest[end..].starts_with('{') {
            end += rest[end..].find('}').expect("a brace is closed") + 1;
        }
        found.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    found
}

#[test]
fn selectors_are_found_in_expressions() {
    let found = selectors("sum by (x) (rate(assay_a{b=\"c\"}[5m])) > 2 * substrate_d");
    assert_eq!(found, ["assay_a{b=\"c\"}", "substrate_d"]);
}

/// Asserts that every alert is known, evaluates, has a test and looks at series that exist.
async fn check_alerts(prometheus: &Prometheus) {
    promtool(&["check", "config", "prometheus.yml"]);
    promtool(&["check", "rules", "alerts.yml"]);
    promtool(&["test", "rules", "alerts.test.yml"]);
    let (tests, page) = (read("alerts.test.yml"), fs::read_to_string(PAGE).expect("the page"));
    let rules = prometheus.get("/api/v1/rules").await;
    let groups = rules["groups"].as_array().expect("there are groups");
    let rules: Vec<&Value> =
        groups.iter().flat_map(|group| group["rules"].as_array()).flatten().collect();
    assert!(!rules.is_empty(), "there are no rules");
    for rule in rules {
        let name = rule["name"].as_str().expect("an alert has a name");
        assert_eq!(rule["health"], "ok", "{rule}");
        assert!(tests.contains(&format!("        alertname: {name}\n")), "{name} has no test");
        assert!(page.contains(&format!("| `{name}` |")), "{name} is not in {PAGE}");
        for selector in selectors(rule["query"].as_str().expect("an alert has a query")) {
            let found = prometheus.query(&format!("count({selector})")).await;
            assert!(!found.is_empty(), "{name} looks at {selector}, which no node has");
        }
    }
}

/// Asserts that the page lists the metrics of Assay and their kinds, and no others.
async fn check_page(prometheus: &Prometheus) {
    let known = prometheus.get("/api/v1/metadata").await;
    let known = known.as_object().expect("it is an object").iter();
    let exported: BTreeMap<String, String> = known
        .filter(|(name, _)| name.starts_with("assay_"))
        .map(|(name, meta)| (name.clone(), meta[0]["type"].as_str().unwrap_or_default().into()))
        .collect();
    let page = fs::read_to_string(PAGE).expect("the page");
    let listed: BTreeMap<String, String> = page.lines().filter_map(listed).collect();
    assert_eq!(listed, exported, "the tables of metrics in {PAGE} are not what a node exports");
}

/// Returns name and kind of the metric that a row of a table describes, if it does.
fn listed(row: &str) -> Option<(String, String)> {
    let (name, rest) = row.strip_prefix("| `")?.split_once('`')?;
    let name = name.split('{').next()?;
    let kind = rest.split('|').nth(1)?.trim();
    name.starts_with("assay_").then(|| (name.to_owned(), kind.to_owned()))
}

#[tokio::test]
async fn panels_have_data_and_alerts_evaluate() {
    let node = measured(&[]).await;
    let prometheus = Prometheus::beside(&node).await;
    assert_eq!(outcome(&node).await, "paid");
    until_positive(&prometheus, "assay_operator_jobs_total{event=\"paid\"}").await;
    until_positive(&prometheus, "assay_operator_heartbeats_total{event=\"received\"}").await;

    for (title, query) in expressions() {
        wait_for(&format!("'{title}' has data: {query}"), SHOWN, async || {
            prometheus.query(&query).await.iter().any(|value| value.is_finite())
        })
        .await;
    }
    check_alerts(&prometheus).await;
    check_page(&prometheus).await;
    check_values(&prometheus).await;
}

/// Asserts what one job leaves in the metrics of a chain with twelve operators.
async fn check_values(prometheus: &Prometheus) {
    for (expression, value) in [
        ("sum(assay_operator_jobs_total{event=\"assigned\"})", 1.0),
        ("sum(assay_operator_jobs_total{event=\"paid\"})", 1.0),
        ("sum(assay_operator_jobs_total{event=~\"late|missed|slashed\"})", 0.0),
        // A committee, or the jury of a second look in addition.
        ("sum(assay_operator_seats_total{event=\"revealed\"}) >= bool 3", 1.0),
        ("sum(assay_work_total{kind=\"generate\"})", 1.0),
        // All verifiers are on one node, which verifies once for each draw of them.
        ("sum(assay_work_total{kind=\"verify\", outcome=\"accept\"}) >= bool 1", 1.0),
        ("sum(assay_work_total{outcome=\"given_up\"})", 0.0),
        ("count(assay_worker_registered == 1)", 12.0),
        ("sum(assay_operator_stake_asy{part=\"reserved\"})", 0.0),
        ("sum(assay_operator_seized_asy_total)", 0.0),
        ("count(assay_model_info)", 1.0),
    ] {
        assert_eq!(prometheus.query(expression).await, [value], "{expression}");
    }
    for expression in [
        "sum(assay_operator_earned_asy_total)",
        "sum(assay_reports_sent_total)",
        "min(assay_worker_balance_asy)",
        "min(assay_operator_uptime_ratio)",
        "min(assay_operator_draw_share_ratio)",
        "sum(assay_tokens_generated_total)",
    ] {
        let values = prometheus.query(expression).await;
        assert!(values.len() == 1 && values[0] > 0.0, "{expression}: {values:?}");
    }
}

#[tokio::test]
async fn rejected_output_rings_the_alarm() {
    let node = measured(&["--dev-fault", "wrong-token"]).await;
    let prometheus = Prometheus::beside(&node).await;
    // The first sample of a series must come before its rise.
    wait_for("the operators are shown", SHOWN, async || {
        !prometheus.query("assay_operator_jobs_total{event=\"slashed\"}").await.is_empty()
    })
    .await;
    assert_eq!(outcome(&node).await, "slashed");
    until_positive(&prometheus, "assay_operator_jobs_total{event=\"slashed\"}").await;
    until_positive(&prometheus, "assay_operator_seized_asy_total{duty=\"run\"}").await;
    let firing = "ALERTS{alertname=\"AssayOutputRejected\", alertstate=\"firing\"}";
    until_positive(&prometheus, firing).await;
}

/// Returns the values of the series of a metric that a node serves, by their labels.
async fn series(node: &Node, metric: &str) -> BTreeMap<String, f64> {
    let (status, page) = http::get(node.metrics_port(), "/metrics").await.expect("it answers");
    assert_eq!(status, 200);
    let lines = page.lines().filter_map(|line| line.strip_prefix(metric)?.rsplit_once(' '));
    let lines = lines.filter(|(labels, _)| labels.is_empty() || labels.starts_with('{'));
    lines.map(|(labels, value)| (labels.to_owned(), value.parse().expect("a number"))).collect()
}

#[tokio::test]
async fn heartbeats_that_nobody_sends_are_counted_as_missed() {
    // The node has the worker keys and nothing that works for them.
    let workers = ["Alice", "Bob"];
    let spec = NodeSpec::dev().with_workers(&workers).with(&["--no-engine"]).with_metrics();
    let node = alone(spec).await;
    let missed = async || -> BTreeSet<String> {
        let all = series(&node, "assay_operator_heartbeats_total").await.into_iter();
        let missed = all.filter(|(labels, value)| labels.contains("\"missed\"") && *value == 1.0);
        missed.map(|(labels, _)| labels).collect()
    };
    wait_for("both miss their heartbeats", SHOWN, async || missed().await.len() == 2).await;
    wait_for("both are excluded from draws", SHOWN, async || {
        let silent = series(&node, "assay_operator_silent").await;
        silent.len() == 2 && silent.values().all(|value| *value == 1.0)
    })
    .await;
    let sent = series(&node, "assay_reports_sent_total").await;
    assert!(sent.len() == 2 && sent.values().all(|value| *value == 0.0), "{sent:?}");
}
