// SPDX-License-Identifier: Apache-2.0
//! The systemd services under `deploy/systemd`, as systemd itself reads them.

#![cfg(target_os = "linux")]

use assay_checks::workspace;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The binary that the services start, which this machine need not have.
const NODE: &str = "/usr/local/bin/assay-node";
/// The highest exposure that `systemd-analyze security` may compute, in tenths of ten.
const EXPOSURE: &str = "20";

fn systemd_analyze(args: &[&str]) -> Output {
    Command::new("systemd-analyze").args(args).output().unwrap_or_else(|error| {
        panic!("systemd-analyze: {error}; ./scripts/setup.sh --test installs it")
    })
}

/// Copies the services into a folder, with a binary that is here, and calls `check` with each copy and
/// its text.
fn each_service(check: impl Fn(&Path, &str)) {
    let folder = tempfile::tempdir().unwrap();
    let shipped = workspace::root().join("deploy/systemd");
    let paths = fs::read_dir(&shipped).unwrap().map(|entry| entry.unwrap().path());
    let services: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|is| is == "service")).collect();
    assert_eq!(services.len(), 2, "{services:?}");
    for path in services {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(NODE), "{}", path.display());
        let copy = folder.path().join(path.file_name().unwrap());
        fs::write(&copy, text.replace(NODE, "/bin/true")).unwrap();
        check(&copy, &text);
    }
}

#[test]
fn services_are_valid() {
    each_service(|service, _| {
        let output = systemd_analyze(&["verify", service.to_str().unwrap()]);
        // It names unknown settings, and succeeds nevertheless.
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    });
}

#[test]
fn services_are_confined() {
    each_service(|service, _| {
        let threshold = format!("--threshold={EXPOSURE}");
        let path = service.to_str().unwrap();
        let output = systemd_analyze(&["security", "--offline=true", &threshold, path]);
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{path} is too exposed:\n{report}");
    });
}

#[test]
fn services_leave_the_engine_its_idle_policy() {
    let calls = |set: &str| {
        let output = systemd_analyze(&["syscall-filter", set]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let has = |set: &str, call: &str| calls(set).lines().any(|line| line.trim() == call);
    assert!(has("@system-service", "@resources"));
    assert!(has("@resources", "sched_setscheduler") && has("@resources", "sched_setaffinity"));
    each_service(|service, text| {
        let filters = text.lines().filter_map(|line| line.strip_prefix("SystemCallFilter="));
        assert_eq!(filters.collect::<Vec<_>>(), ["@system-service"], "{}", service.display());
        // Compiled code of the runtime is made executable while the node runs.
        assert!(!text.contains("\nMemoryDenyWriteExecute="), "{}", service.display());
    });
}
