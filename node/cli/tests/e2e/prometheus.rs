// SPDX-License-Identifier: Apache-2.0
//! Debian's Prometheus beside a node, with the configuration that the repository ships.

use crate::{http, node::Node, port::Port, wait::wait_for};
use serde_json::Value;
use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// The folder of the configuration, from the folder of this package, in which tests run.
pub const FOLDER: &str = "../../monitoring";
/// The longest that Prometheus may take to start.
const START: Duration = Duration::from_secs(60);

/// A Prometheus that scrapes one node each second. Killed when dropped.
pub struct Prometheus {
    child: Child,
    port: Port,
    folder: TempDir,
}

impl Prometheus {
    /// Starts it with the shipped configuration, in which only the node's port and the intervals are
    /// others, and waits until it answers.
    pub async fn beside(node: &Node) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let shipped = read("prometheus.yml");
        let config =
            replaced(&shipped, "127.0.0.1:9615", &format!("127.0.0.1:{}", node.metrics_port()));
        let config = replaced(&config, "_interval: 15s", "_interval: 1s");
        fs::write(folder.path().join("prometheus.yml"), config).expect("the folder is writable");
        fs::write(folder.path().join("alerts.yml"), read("alerts.yml")).expect("it is writable");
        let port = Port::claim();
        let log = File::create(folder.path().join("log")).expect("the folder is writable");
        let child = Command::new("prometheus")
            .arg("--config.file=prometheus.yml")
            .arg("--storage.tsdb.path=data")
            .arg(format!("--web.listen-address=127.0.0.1:{}", port.number()))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("prometheus: {error}; {ADVICE}"));
        let mut prometheus = Self { child, port, folder };
        wait_for("prometheus answers", START, async || {
            let ended = prometheus.child.try_wait().expect("it was started");
            assert!(ended.is_none(), "prometheus has ended: {}", prometheus.log());
            let ready = http::get(prometheus.port.number(), "/-/ready").await;
            ready.is_ok_and(|(status, _)| status == 200)
        })
        .await;
        prometheus
    }

    /// Returns the values of the series that an expression has now.
    pub async fn query(&self, expression: &str) -> Vec<f64> {
        let path = format!("/api/v1/query?query={}", http::encode(expression));
        let data = self.get(&path).await;
        let value = |pair: &Value| pair[1].as_str().and_then(|value| value.parse().ok());
        let value = |pair: &Value| value(pair).unwrap_or_else(|| panic!("no value in {data}"));
        match data["resultType"].as_str() {
            Some("vector") => {
                let series = data["result"].as_array().expect("a vector is a list");
                series.iter().map(|series| value(&series["value"])).collect()
            }
            _ => vec![value(&data["result"])],
        }
    }

    /// Returns the data of an answer of its API.
    pub async fn get(&self, path: &str) -> Value {
        let (_, body) = http::get(self.port.number(), path).await.expect("prometheus answers");
        let answer: Value = serde_json::from_str(&body).expect("prometheus answers with JSON");
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["data"].clone()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const ADVICE: &str =
    "./scripts/setup.sh --test installs it, and `source scripts/env.sh` puts it on PATH";

/// Runs promtool in the folder of the configuration and asserts that it is content.
pub fn promtool(args: &[&str]) {
    let output = Command::new("promtool")
        .args(args)
        .current_dir(FOLDER)
        .output()
        .unwrap_or_else(|error| panic!("promtool: {error}; {ADVICE}"));
    assert!(output.status.success(), "promtool {args:?}: {output:?}");
}

/// Returns a file of the configuration.
pub fn read(name: &str) -> String {
    let path = Path::new(FOLDER).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "'{from}' is not in: {text}");
    text.replace(from, to)
}
