// SPDX-License-Identifier: Apache-2.0
//! Model files, by themselves and on a development chain.

use crate::{
    cli::{alone, assay},
    network::dev,
};
use assay_engine::synthetic::Synthetic;
use std::fs;

/// The built-in model's file, from the folder of this package, in which tests run.
const TINY: &str = "../engine/models/tiny.gguf";

#[tokio::test]
async fn imported_model_is_one_that_the_engine_opens() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("small.gguf");
    let to = to.to_str().unwrap();
    let shown = alone(&["model", "show", TINY, "--json"]).await.ok();
    assert_eq!(shown["architecture"], "llama", "{shown}");
    assert_eq!(shown["quantisation"], "Q8_0", "{shown}");

    let imported = alone(&["model", "import", TINY, to, "--q4-0", "--json"]).await.ok();
    let small = alone(&["model", "show", to, "--json"]).await.ok();
    assert_eq!(small["quantisation"], "Q4_0", "{small}");
    assert_eq!(small["model"], imported["model"], "{small}");
    assert_ne!(small["model"], shown["model"], "{small}");
    assert_eq!(small["parameters"], shown["parameters"], "{small}");
    assert_eq!(small["fileBytes"], fs::metadata(to).unwrap().len(), "{small}");

    // Everybody who imports the same file gets the same model.
    let again = alone(&["model", "import", TINY, to, "--q4-0", "--json"]).await.ok();
    assert_eq!(again, imported);
}

#[tokio::test]
async fn file_that_is_no_model_is_not_imported() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    fs::write(path("cut.gguf"), &fs::read(TINY).unwrap()[..100_000]).unwrap();
    fs::write(path("there.gguf"), "as it was").unwrap();
    let args = ["model", "import", &path("cut.gguf"), &path("there.gguf"), "--json"];
    alone(&args).await.fails("model", &["100000", "fetch it again"]);
    assert_eq!(fs::read_to_string(path("there.gguf")).unwrap(), "as it was");
    let missing = alone(&["model", "show", &path("missing.gguf"), "--json"]).await;
    missing.fails("model", &["missing.gguf"]);
}

#[tokio::test]
async fn model_of_your_own_is_served_on_the_development_chain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.gguf");
    fs::write(&path, Synthetic::default().file().unwrap()).unwrap();
    let shown = alone(&["model", "show", path.to_str().unwrap(), "--json"]).await.ok();

    let node = dev(&["--model", path.to_str().unwrap()]).await;
    let args = ["run", "--json", "--max-tokens", "16", "Once upon a time"];
    let job = assay(&node, &args).await.ok();
    assert_eq!(job["model"], shown["model"], "{job}");
    assert_eq!(job["verdict"], "accept", "{job}");
    assert_eq!(job["outcome"], "paid", "{job}");
    assert_eq!((&job["committed"], &job["verified"]), (&true.into(), &true.into()), "{job}");
    assert_eq!(job["textMatches"], true, "{job}");
}
