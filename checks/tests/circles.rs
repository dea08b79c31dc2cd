// SPDX-License-Identifier: Apache-2.0
//! The search for circles, on small crates.

use assay_checks::circles::{self, Circle};
use std::{fs, path::Path};

/// Writes a crate of those files and returns its circles.
fn circles(files: &[(&str, &str)]) -> Vec<Circle> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, source) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, source).expect("a file");
    }
    circles::find(&folder.path().join("lib.rs")).expect("the crate is read")
}

/// The names of the files of the one circle that there is.
fn names(circles: &[Circle]) -> Vec<&str> {
    let [circle] = circles else { panic!("there is one circle, found {circles:#?}") };
    circle.files.iter().filter_map(|path| path.file_name()?.to_str()).collect()
}

#[track_caller]
fn assert_circle(files: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(names(&circles(files)), expected);
}

#[track_caller]
fn assert_none(files: &[(&str, &str)]) {
    let found = circles(files);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn circle_of_two_is_found() {
    assert_circle(
        &[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "use crate::a::A; pub struct B(Box<A>);"),
        ],
        &["a.rs", "b.rs"],
    );
}

#[test]
fn circle_of_three_through_a_reexport_is_found() {
    assert_circle(
        &[
            ("lib.rs", "mod a; mod b; mod c; pub use c::C as Renamed;"),
            ("a.rs", "use super::Renamed; pub struct A(Renamed);"),
            ("b.rs", "use crate::a::A; pub struct B(A);"),
            ("c.rs", "use crate::b; pub struct C(Box<b::B>);"),
        ],
        &["a.rs", "b.rs", "c.rs"],
    );
}

#[test]
fn circle_through_super_is_found() {
    assert_circle(
        &[
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod b; pub const LIMIT: u32 = 1; pub fn f() { b::g() }"),
            ("a/b.rs", "pub fn g() { let _ = super::LIMIT; }"),
        ],
        &["mod.rs", "b.rs"],
    );
}

#[test]
fn circle_through_a_glob_is_found() {
    assert_circle(
        &[
            ("lib.rs", "mod a; mod all { pub use crate::b::*; } mod b;"),
            ("a.rs", "use crate::all::*; pub fn f() { called() } pub trait T {}"),
            ("b.rs", "pub fn called() {} pub fn g<X: crate::a::T>() {}"),
        ],
        &["a.rs", "b.rs"],
    );
}

#[test]
fn circle_in_a_macro_is_found() {
    assert_circle(
        &[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "pub fn f() { println!(\"{}\", crate::b::LIMIT); }"),
            ("b.rs", "use crate::a; pub const LIMIT: u32 = 1; pub fn g() { vec![(1, [a::f()])]; }"),
        ],
        &["a.rs", "b.rs"],
    );
}

#[test]
fn circle_with_the_root_is_found() {
    assert_circle(
        &[
            ("lib.rs", "mod a; pub struct Shared; pub fn f() { a::g(Shared) }"),
            ("a.rs", "pub fn g(_: crate::Shared) {}"),
        ],
        &["lib.rs", "a.rs"],
    );
}

#[test]
fn circle_names_the_lines_that_tie_it() {
    let found = circles(&[
        ("lib.rs", "mod a;\nmod b;"),
        ("a.rs", "\nuse crate::b::B;\npub struct A;"),
        ("b.rs", "pub struct B;\npub fn f(_: crate::a::A) {}"),
    ]);
    let ties: Vec<_> = found[0].ties.iter().map(|tie| (tie.line, tie.path.as_str())).collect();
    assert_eq!(ties, [(2, "crate::b::B"), (2, "crate::a::A")]);
    let message = found[0].to_string();
    assert!(message.contains("for `crate::b::B` in line 2"), "{message}");
}

#[test]
fn one_direction_is_no_circle() {
    assert_none(&[
        ("lib.rs", "mod a; mod b; pub use b::B; pub fn f(_: a::A) {}"),
        ("a.rs", "use crate::b::{self, B}; pub struct A(B); pub fn g() -> B { b::new() }"),
        ("b.rs", "pub struct B; pub fn new() -> B { B }"),
    ]);
}

#[test]
fn reexport_alone_is_no_need() {
    assert_none(&[
        ("lib.rs", "mod a; pub use a::A; pub const LIMIT: u32 = 1;"),
        ("a.rs", "pub struct A([u8; crate::LIMIT as usize]);"),
    ]);
}

#[test]
fn tests_are_ignored() {
    assert_none(&[
        ("lib.rs", "mod a; mod b; #[cfg(test)] mod mock;"),
        ("a.rs", "pub struct A; #[cfg(test)] use crate::b::B; #[test] fn t(_: crate::b::B) {}"),
        ("b.rs", "use crate::a::A; pub struct B(A); #[cfg(test)] mod tests { use crate::b::B; }"),
    ]);
}

#[test]
fn names_of_other_crates_are_ignored() {
    assert_none(&[
        ("lib.rs", "mod a; mod b; extern crate alloc;"),
        ("a.rs", "use b::B; use ::c::crate_; pub fn f(_: B) {} pub struct A;"),
        ("b.rs", "use crate::a::A; pub struct B(A);"),
    ]);
}

#[test]
fn root_that_frame_writes_is_left_out() {
    let child = ("a.rs", "use crate::{Config, Pallet}; impl<T: Config> Pallet<T> {}");
    let body =
        "pub mod pallet { pub trait Config {} pub struct Pallet<T>(T); fn f(_: crate::a::A) {} }";
    let root = |attribute: &str| format!("mod a; pub use pallet::*; {attribute} {body}");
    assert_none(&[("lib.rs", &root("#[frame_support::pallet]")), child]);
    assert_none(&[("lib.rs", &root("#[frame_support::runtime]")), child]);
    assert_circle(&[("lib.rs", &root("")), child], &["lib.rs", "a.rs"]);
}

#[test]
fn modules_are_found_where_the_compiler_finds_them() {
    assert_circle(
        &[
            ("lib.rs", "mod a { mod b; #[path = \"x.rs\"] mod c; } mod d;"),
            ("a/b.rs", "mod e;"),
            ("a/b/e.rs", "use crate::d::D; pub struct E;"),
            ("a/x.rs", "pub struct X;"),
            ("x.rs", "pub struct X;"),
            ("d.rs", "pub struct D; use crate::a::b::e::E;"),
        ],
        &["e.rs", "d.rs"],
    );
}

#[test]
fn missing_file_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("lib.rs");
    fs::write(&root, "mod absent;").expect("a file");
    let error = circles::find(Path::new(&root)).expect_err("there is no such module");
    assert!(error.to_string().contains("`mod absent`"), "{error}");
}
