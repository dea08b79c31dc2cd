// SPDX-License-Identifier: Apache-2.0
//! Downloads from servers that work, and from servers that do not.

use crate::{
    kitchen::{servable, Kitchen},
    server::{Reply, Server},
};
use std::{fs, net::TcpListener, thread, time::Duration};

/// The byte at which connections break off.
const CUT: usize = 500_000;

/// Serves a file of which the first request gets only the beginning.
fn cut_once(file: Vec<u8>, tag: &'static str) -> Server {
    Server::start(move |request, before| {
        let reply = Reply::part(&file, request).with(tag);
        if before == 0 {
            reply.cut(CUT)
        } else {
            reply
        }
    })
}

/// Leaves the beginning of a download in the cache, as a command that was killed does.
fn interrupted(kitchen: &Kitchen, file: Vec<u8>, header: &'static str) -> Server {
    let server = Server::start(move |request, before| match before {
        0 => Reply::whole(&file).with(header).cut(CUT),
        1..5 => Reply::part(&file, request).with(header).cut(0),
        _ => Reply::part(&file, request).with(header),
    });
    let url = server.url("m.gguf");
    kitchen.fails(&url, None, "download_cut", &[&url, "try again", "500000"]);
    assert_eq!(kitchen.downloads(), 1);
    server
}

#[test]
fn url_is_fetched_once() {
    let (kitchen, file) = (Kitchen::new(), servable());
    let server = Server::of(file.clone());
    let fetched = kitchen.fetch(&server.url("m.gguf"), None).unwrap();
    assert_eq!((fetched.id, fetched.cached), (blake3::hash(&file), false));
    assert_eq!(fetched.file, kitchen.cache.file(fetched.id));
    assert_eq!(fs::read(&fetched.file).unwrap(), file);
    assert_eq!(fetched.bytes, file.len() as u64);

    let again = kitchen.fetch(&server.url("m.gguf"), None).unwrap();
    assert!(again.cached && again.file == fetched.file);
    assert_eq!(server.ranges(), [None]);
    assert_eq!(kitchen.downloads(), 0, "nothing is kept twice");
    let [(record, id)] = &kitchen.cache.records()[..] else { panic!("one model is listed") };
    assert_eq!((&record.from, *id), (&server.url("m.gguf"), fetched.id));
}

#[test]
fn connection_that_breaks_off_is_made_again() {
    let (kitchen, file) = (Kitchen::new(), servable());
    let server = cut_once(file.clone(), "ETag: \"a\"");
    let fetched = kitchen.fetch(&server.url("m.gguf"), None).unwrap();
    assert_eq!(fetched.id, blake3::hash(&file));
    assert_eq!(server.ranges(), [None, Some(CUT)]);
    assert_eq!(server.requests()[1].if_range.as_deref(), Some("\"a\""));
}

#[test]
fn server_that_falls_silent_is_asked_again() {
    let (mut kitchen, file) = (Kitchen::new(), servable());
    kitchen.patience = Duration::from_secs(3);
    let bytes = file.clone();
    let server = Server::start(move |request, before| {
        let reply = Reply::part(&bytes, request).with("ETag: \"a\"");
        if before == 0 {
            Reply { hold: true, ..reply.cut(CUT) }
        } else {
            reply
        }
    });
    assert_eq!(kitchen.fetch(&server.url("m.gguf"), None).unwrap().id, blake3::hash(&file));
    assert_eq!(server.ranges(), [None, Some(CUT)]);
}

#[test]
fn interrupted_download_goes_on_in_the_next_command() {
    for header in ["ETag: \"a\"", "Last-Modified: Fri, 07 Feb 2025 06:00:00 GMT"] {
        let (kitchen, file) = (Kitchen::new(), servable());
        let server = interrupted(&kitchen, file.clone(), header);
        let fetched = kitchen.fetch(&server.url("m.gguf"), None).unwrap();
        assert_eq!(fetched.id, blake3::hash(&file));
        assert_eq!(server.ranges().last(), Some(&Some(CUT)));
    }
}

#[test]
fn download_without_a_version_or_a_hash_starts_again() {
    let (kitchen, file) = (Kitchen::new(), servable());
    let server = Server::start({
        let file = file.clone();
        move |request, before| match before {
            0..5 => Reply::part(&file, request).cut(CUT),
            _ => Reply::part(&file, request),
        }
    });
    let url = server.url("m.gguf");
    kitchen.fails(&url, None, "download_cut", &[&url, "byte 0"]);
    assert_eq!(kitchen.fetch(&url, None).unwrap().id, blake3::hash(&file));
    assert!(server.ranges().iter().all(Option::is_none), "nobody could tell the pieces apart");
}

#[test]
fn hash_stands_for_a_version() {
    let (kitchen, file) = (Kitchen::new(), servable());
    let server = cut_once(file.clone(), "X: y");
    let hash = blake3::hash(&file);
    assert_eq!(kitchen.fetch(&server.url("m.gguf"), Some(hash)).unwrap().id, hash);
    assert_eq!(server.ranges(), [None, Some(CUT)]);
}

#[test]
fn file_that_has_changed_is_fetched_from_its_start() {
    let (kitchen, new) = (Kitchen::new(), servable());
    let old: Vec<u8> = new.iter().map(|byte| !byte).collect();
    let bytes = new.clone();
    // One server honours If-Range, and the other one sends a part of the new file.
    for honours in [true, false] {
        let (old, new) = (old.clone(), bytes.clone());
        let server = Server::start(move |request, before| match (before, honours) {
            (0, _) => Reply::whole(&old).with("ETag: \"old\"").cut(CUT),
            (1, true) => Reply::whole(&new).with("ETag: \"new\""),
            _ => Reply::part(&new, request).with("ETag: \"new\""),
        });
        let fetched = kitchen.fetch(&server.url("m.gguf"), None).unwrap();
        assert_eq!(fetched.id, blake3::hash(&bytes));
        let ranges = [None, Some(CUT), None];
        assert_eq!(server.ranges(), ranges[..if honours { 2 } else { 3 }]);
    }
}

#[test]
fn file_that_has_shrunk_is_fetched_from_its_start() {
    let (kitchen, file) = (Kitchen::new(), servable());
    let mut long = file.clone();
    long.resize(file.len() + CUT, 0);
    let bytes = file.clone();
    let server = Server::start(move |request, before| match before {
        0 => Reply::whole(&long).with("ETag: \"a\"").cut(bytes.len() + 1),
        _ => Reply::part(&bytes, request).with("ETag: \"a\""),
    });
    assert_eq!(kitchen.fetch(&server.url("m.gguf"), None).unwrap().id, blake3::hash(&file));
    assert_eq!(server.ranges(), [None, Some(file.len() + 1), None]);
}

#[test]
fn pieces_that_do_not_fit_are_found_out_by_the_hash() {
    let (kitchen, file) = (Kitchen::new(), servable());
    let (bytes, hash) = (file.clone(), blake3::hash(&file));
    let mut other = file.clone();
    other[0] ^= 1;
    let server = Server::start(move |request, before| match before {
        0 => Reply::whole(&other).cut(CUT),
        _ => Reply::part(&bytes, request),
    });
    assert_eq!(kitchen.fetch(&server.url("m.gguf"), Some(hash)).unwrap().id, hash);
    assert_eq!(server.ranges(), [None, Some(CUT), None]);
}

#[test]
fn server_without_ranges_sends_the_file_again() {
    let (kitchen, file) = (Kitchen::new(), servable());
    let bytes = file.clone();
    let server = Server::start(move |_, before| {
        let reply = Reply::whole(&bytes).with("ETag: \"a\"");
        if before == 0 {
            reply.cut(CUT)
        } else {
            reply
        }
    });
    assert_eq!(kitchen.fetch(&server.url("m.gguf"), None).unwrap().id, blake3::hash(&file));
    assert_eq!(server.ranges(), [None, Some(CUT)]);
}

#[test]
fn server_that_sends_another_part_is_given_up() {
    let kitchen = Kitchen::new();
    let server = Server::start(|_, _| {
        Reply { status: "206 Partial Content", ..Reply::whole(b"xy") }
            .with("Content-Range: bytes 8-9/10")
    });
    let url = server.url("m.gguf");
    kitchen.fails(&url, None, "download_cut", &[&url, "another part", "byte 0"]);
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn file_with_another_hash_is_refused() {
    let (kitchen, file) = (Kitchen::new(), servable());
    let server = Server::of(file.clone());
    let (url, wanted) = (server.url("m.gguf"), blake3::hash(b"other"));
    let found = blake3::hash(&file).to_string();
    kitchen.fails(&url, Some(wanted), "wrong_hash", &[&url, &found, &wanted.to_string()]);
    assert_eq!(server.ranges(), [None], "a file in one piece is not asked for again");
    assert_eq!((kitchen.downloads(), kitchen.cache.records().len()), (0, 0));

    // A file that was fetched without its hash does not pass for one with another hash.
    assert!(kitchen.fetch(&url, None).is_ok());
    kitchen.fails(&url, Some(wanted), "wrong_hash", &[&url]);
    assert!(kitchen.fetch(&url, Some(blake3::hash(&file))).is_ok());
}

#[test]
fn status_of_the_server_is_named() {
    for (status, advice) in [
        ("404 Not Found", "check the address"),
        ("503 Service Unavailable", "try again later"),
        ("429 Too Many Requests", "try again later"),
    ] {
        let server = Server::start(move |_, _| Reply::status(status));
        let url = server.url("m.gguf");
        Kitchen::new().fails(&url, None, "http_status", &[status, &url, advice]);
    }
}

#[test]
fn server_that_does_not_answer_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/m.gguf", listener.local_addr().unwrap());
    drop(listener);
    Kitchen::new().fails(&url, None, "unreachable", &[&url, "HTTPS_PROXY", "try again"]);
}

#[test]
fn file_of_unknown_length_is_refused() {
    let server = Server::start(|_, _| Reply { length: None, ..Reply::whole(b"GGUF") });
    let url = server.url("m.gguf");
    Kitchen::new().fails(&url, None, "no_length", &[&url, "by its path"]);
}

#[test]
fn file_that_no_disk_holds_is_refused() {
    let (kitchen, length) = (Kitchen::new(), usize::MAX / 4);
    let server = Server::start(move |_, _| Reply { length: Some(length), ..Reply::whole(b"GGUF") });
    let url = server.url("m.gguf");
    kitchen.fails(&url, None, "disk_full", &[&url, "XDG_DATA_HOME"]);
    assert_eq!(kitchen.downloads(), 0);
}

#[test]
fn file_that_is_no_model_is_refused() {
    let server = Server::of(b"<!DOCTYPE html>".to_vec());
    let (kitchen, url) = (Kitchen::new(), server.url("m.gguf"));
    for _ in 0..2 {
        kitchen.fails(&url, None, "model", &["cannot use", &url, "GGUF"]);
        assert_eq!(kitchen.downloads(), 0, "it is not kept");
    }
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn redirect_is_followed() {
    let (kitchen, file) = (Kitchen::new(), servable());
    let bytes = file.clone();
    let server = Server::start(move |request, _| match request.path.as_str() {
        "old" => Reply::status("302 Found").with("Location: /new"),
        _ => Reply::part(&bytes, request),
    });
    assert_eq!(kitchen.fetch(&server.url("old"), None).unwrap().id, blake3::hash(&file));
}

#[test]
fn commands_at_the_same_time_share_one_download() {
    let (kitchen, file) = (Kitchen::new(), servable());
    let server = Server::of(file.clone());
    let url = server.url("m.gguf");
    let fetched: Vec<_> = thread::scope(|scope| {
        let fetch = || kitchen.fetch(&url, None).unwrap();
        let threads = [(); 4].map(|()| scope.spawn(fetch));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(fetched.iter().all(|model| model.id == blake3::hash(&file)));
    assert_eq!(fetched.iter().filter(|model| !model.cached).count(), 1);
    assert_eq!(server.requests().len(), 1);
}
