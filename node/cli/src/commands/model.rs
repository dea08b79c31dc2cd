// SPDX-License-Identifier: Apache-2.0
//! `assay model`.

use super::fetch;
use crate::{args::ModelCommand, exit::Exit, fault::Fault, fetch::local, out, progress::Bytes};
use anyhow::Result;
use assay_engine::{EngineError, ImportProgress, MatrixType, Model};
use serde_json::json;
use std::path::Path;

/// Runs the command, which needs no node.
pub fn dispatch(command: &ModelCommand, json: bool) -> Result<Exit> {
    match command {
        ModelCommand::List => fetch::list(json),
        ModelCommand::Fetch(args) => fetch::fetch(args, json),
        ModelCommand::Show { file } => show(file, json),
        ModelCommand::Import { from, to, q4_0 } => {
            let matrices = if *q4_0 { MatrixType::Q4_0 } else { MatrixType::Q8_0 };
            import(from, to, matrices, json)
        }
    }
}

fn refused(error: EngineError) -> anyhow::Error {
    Fault::error("model", error.to_string())
}

fn show(file: &Path, json: bool) -> Result<Exit> {
    let model = Model::open(&local::file(file)?).map_err(refused)?;
    let (info, id) = (model.info(), format!("0x{}", hex::encode(model.root())));
    if json {
        out::object(&json!({
            "model": id,
            "modelName": info.name,
            "architecture": info.architecture,
            "quantisation": info.quantisation,
            "parameters": info.parameters,
            "context": info.context_length,
            "vocabulary": info.vocab_size,
            "chatTemplate": model.chat_template().is_some(),
            "fileBytes": info.file_bytes,
            "warning": model.warning(),
        }))?;
    } else {
        out::pairs(&[
            ("Name", info.name.clone()),
            ("Model", id),
            ("Architecture", info.architecture.clone()),
            ("Quantisation", info.quantisation.clone()),
            ("Parameters", info.parameters.to_string()),
            ("Context", format!("{} tokens", info.context_length)),
            ("Vocabulary", format!("{} tokens", info.vocab_size)),
            ("Chat", if model.chat_template().is_some() { "yes" } else { "no template" }.into()),
            ("File", format!("{} bytes", info.file_bytes)),
        ])?;
        if let Some(warning) = model.warning() {
            out::note(&format!("Warning: {warning}."));
        }
    }
    Ok(Exit::Done)
}

fn import(from: &Path, to: &Path, matrices: MatrixType, json: bool) -> Result<Exit> {
    let bar = Bytes::new("importing");
    let imported = assay_engine::import(from, to, matrices, &mut |progress: ImportProgress<'_>| {
        bar.at(progress.done, progress.total);
    });
    drop(bar);
    let imported = imported.map_err(refused)?;
    let id = format!("0x{}", hex::encode(imported.root));
    if json {
        out::object(&json!({
            "model": id,
            "file": to,
            "fileBytes": imported.file_bytes,
            "converted": imported.converted,
            "copied": imported.copied,
        }))?;
    } else {
        out::pairs(&[
            ("Model", id),
            ("File", format!("{}, {} bytes", to.display(), imported.file_bytes)),
            ("Converted", format!("{} tensors", imported.converted)),
            ("Unchanged", format!("{} tensors", imported.copied)),
        ])?;
        out::note(&format!("Serve the model with: assay-node --model {}", to.display()));
    }
    Ok(Exit::Done)
}
