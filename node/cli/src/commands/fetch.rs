// SPDX-License-Identifier: Apache-2.0
//! `assay model fetch` and `assay model list`.

use crate::{
    args::FetchArgs,
    exit::Exit,
    fetch::{
        cache::Cache,
        catalogue::{Catalogue, Entry},
        hash,
        http::Client,
        terms,
        wanted::Wanted,
        Fetcher,
    },
    out,
};
use anyhow::Result;
use serde_json::{json, Value};
use std::{
    fs,
    io::{self, BufRead, IsTerminal},
    path::Path,
};

/// Fetches a model and says where its file is.
pub fn fetch(args: &FetchArgs, json: bool) -> Result<Exit> {
    let catalogue = Catalogue::built_in()?;
    let wanted = Wanted::parse(&args.model, &catalogue)?;
    let cache = Cache::of_user()?;
    let accept = |entry: &Entry| accept(entry, args.accept_terms, json);
    let fetcher = Fetcher { cache: &cache, client: &Client::default(), accept: &accept };
    let fetched = fetcher.fetch(&wanted, args.blake3)?;
    let name = match &wanted {
        Wanted::Named(entry) => Some(entry.name.as_str()),
        _ => None,
    };
    if json {
        out::object(&json!({
            "model": hash::shown(fetched.id),
            "name": name,
            "file": fetched.file,
            "fileBytes": fetched.bytes,
            "cached": fetched.cached,
        }))?;
        return Ok(Exit::Done);
    }
    if fetched.cached {
        out::note("The model is there already, and its hash is right.");
    }
    out::pairs(&[
        ("Model", hash::shown(fetched.id)),
        ("File", fetched.file.display().to_string()),
        ("Bytes", fetched.bytes.to_string()),
    ])?;
    out::note(&format!("Serve the model with: assay-node --model {}", fetched.file.display()));
    Ok(Exit::Done)
}

/// Asks the person at the terminal, if there is one.
fn accept(entry: &Entry, accepted: bool, json: bool) -> Result<()> {
    let person = !json && io::stdin().is_terminal() && io::stderr().is_terminal();
    let mut stdin = io::stdin().lock();
    terms::ensure(entry, accepted, person.then_some(&mut stdin as &mut dyn BufRead))
}

/// Lists the models that have a name, and those that are fetched.
pub fn list(json: bool) -> Result<Exit> {
    let catalogue = Catalogue::built_in()?;
    let cache = Cache::of_user()?;
    let mut rows = Vec::new();
    let mut objects = Vec::new();
    for entry in &catalogue.models {
        let file = Some(cache.file(entry.id)).filter(|file| file.is_file());
        rows.push((entry.name.clone(), text(entry, file.as_deref())));
        objects.push(json!({
            "name": entry.name,
            "title": entry.title,
            "licence": entry.licence,
            "terms": entry.terms,
            "from": entry.source,
            "model": hash::shown(entry.id),
            "downloadBytes": entry.download_bytes(),
            "file": file,
            "fileBytes": entry.id_bytes,
        }));
    }
    for (record, id) in cache.records() {
        let file = cache.file(id);
        // Ten characters are as much of an id as `--model` of an order needs.
        let id_shown = format!("{:.10}", hash::shown(id));
        rows.push((id_shown, format!("from {}: {}", record.from, file.display())));
        objects.push(json!({
            "name": Value::Null,
            "from": record.from,
            "model": hash::shown(id),
            "fileBytes": fs::metadata(&file).ok().map(|file| file.len()),
            "file": file,
        }));
    }
    if json {
        out::object(&json!({ "folder": cache.folder(), "models": objects }))?;
    } else {
        let rows: Vec<(&str, String)> =
            rows.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
        out::pairs(&rows)?;
    }
    Ok(Exit::Done)
}

fn text(entry: &Entry, file: Option<&Path>) -> String {
    let state = match file {
        Some(file) => file.display().to_string(),
        None => format!("not fetched, {} bytes to download", entry.download_bytes()),
    };
    format!("{} ({}): {state}", entry.title, entry.licence)
}
