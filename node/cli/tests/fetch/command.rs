// SPDX-License-Identifier: Apache-2.0
//! The command itself, as a person or a script runs it.

use crate::{
    kitchen::servable,
    server::{Reply, Server},
};
use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// Runs `assay model` with a data folder of its own, and returns its exit code, standard error, and the object of
/// `--json`.
fn model(data: &Path, args: &[&str], variables: &[(&str, &str)]) -> (i32, String, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
    {
        command.env_remove(name);
    }
    let said = command
        .args(["model", "--json"])
        .args(args)
        .env("XDG_DATA_HOME", data)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let out = String::from_utf8(said.stdout).unwrap();
    let object = serde_json::from_str(out.lines().last().unwrap_or_default()).unwrap();
    (said.status.code().unwrap(), String::from_utf8(said.stderr).unwrap(), object)
}

#[test]
fn model_of_a_server_is_fetched_listed_and_shown() {
    let data = tempfile::tempdir().unwrap();
    let file = servable();
    let server = Server::of(file.clone());
    let url = server.url("m.gguf");
    let hash = blake3::hash(&file).to_string();
    let args = ["fetch", &url, "--blake3", &hash];
    let (code, said, fetched) = model(data.path(), &args, &[]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(fetched["model"], format!("0x{hash}"), "{fetched}");
    assert_eq!(fetched["fileBytes"], file.len(), "{fetched}");
    assert_eq!((&fetched["cached"], &fetched["name"]), (&false.into(), &Value::Null), "{fetched}");
    let path = data.path().join("assay/models").join(format!("{hash}.gguf"));
    assert_eq!(fetched["file"], path.to_str().unwrap(), "{fetched}");
    assert_eq!(fs::read(&path).unwrap(), file);

    let (_, _, again) = model(data.path(), &args, &[]);
    assert_eq!((&again["cached"], &again["file"]), (&true.into(), &fetched["file"]), "{again}");

    let (_, _, list) = model(data.path(), &["list"], &[]);
    let models = list["models"].as_array().unwrap();
    let [smollm2, gemma3, own] = &models[..] else { panic!("three models are listed: {list}") };
    assert_eq!((&smollm2["name"], &smollm2["file"]), (&"smollm2-135m".into(), &Value::Null));
    let id = "0x5a93899ff532d970b304a721cf787d9c1d0d207d6f7e39394e5dcdbb5bd01846";
    assert_eq!((&gemma3["name"], &gemma3["model"]), (&"gemma3-270m".into(), &id.into()));
    assert_eq!((&own["from"], &own["file"]), (&url.as_str().into(), &fetched["file"]));

    let (_, _, shown) = model(data.path(), &["show", path.to_str().unwrap()], &[]);
    assert_eq!(shown["model"], fetched["model"]);
}

#[test]
fn errors_have_codes() {
    let data = tempfile::tempdir().unwrap();
    for (args, code) in [
        (&["fetch", "gemma3-270m"][..], "terms_not_accepted"),
        (&["fetch", "nothing"], "unknown_model"),
        (&["fetch", "ftp://host/m.gguf"], "bad_url"),
        (&["show", "smollm2-135m"], "not_fetched"),
        (&["show", "gemma3-270m"], "not_fetched"),
    ] {
        let (exit, said, object) = model(data.path(), args, &[]);
        assert_eq!((exit, &object["error"]["code"]), (1, &code.into()), "{said}");
    }
    let (exit, _, object) = model(data.path(), &["fetch", "x", "--blake3", "12"], &[]);
    assert_eq!((exit, &object["error"]["code"]), (2, &"usage".into()));
    let none = [("XDG_DATA_HOME", ""), ("HOME", "")];
    let (exit, _, object) = model(data.path(), &["list"], &none);
    assert_eq!((exit, &object["error"]["code"]), (1, &"no_home".into()));
}

#[test]
fn download_goes_through_the_proxy() {
    let data = tempfile::tempdir().unwrap();
    let proxy = Server::start(|_, _| Reply::status("403 Forbidden"));
    let variables = [("HTTPS_PROXY", &*proxy.url(""))];
    let (exit, said, object) = model(data.path(), &["fetch", "smollm2-135m"], &variables);
    assert_eq!((exit, &object["error"]["code"]), (1, &"unreachable".into()), "{said}");
    assert!(said.contains("HTTPS_PROXY") && said.contains("Apache-2.0"), "{said}");
    let asked: Vec<String> = proxy.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(asked, ["files.pythonhosted.org:443"]);
}
