// SPDX-License-Identifier: Apache-2.0
//! The examples for dApps, with the packages that they need.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{process::Command, time::timeout};

/// The longest that npm may take to download, and an example to run.
const LIMIT: Duration = Duration::from_secs(300);

/// The examples, from the folder of this package, in which tests run.
const EXAMPLES: &str = "../../docs/examples";

/// Runs an example and returns the object that is its last line.
pub async fn example(name: &str, args: &[&str]) -> serde_json::Value {
    let folder = install().await;
    // A copy of its own, in a folder whose parent has the packages.
    let place = TempDir::new_in(&folder).unwrap();
    for file in [name, "request.mjs"] {
        fs::copy(Path::new(EXAMPLES).join(file), place.path().join(file)).unwrap();
    }
    let out = run(Command::new("node").arg(name).args(args).current_dir(place.path())).await;
    serde_json::from_str(out.lines().last().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {out}"))
}

/// Installs exactly the packages of the lock file, once. They are kept between runs beside the build,
/// so outside of the repository where the build is.
async fn install() -> PathBuf {
    let bin = Path::new(env!("CARGO_BIN_EXE_assay")).parent().expect("a file is in a folder");
    let folder = bin.join("e2e-examples");
    fs::create_dir_all(&folder).unwrap();
    // Tests of other processes install, too. The lock ends with the file's handle.
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let source = Path::new(EXAMPLES);
    let wanted = fs::read(source.join("package-lock.json")).unwrap();
    let done = folder.join("installed.json");
    if fs::read(&done).ok().as_ref() != Some(&wanted) {
        for name in ["package.json", "package-lock.json"] {
            fs::copy(source.join(name), folder.join(name)).unwrap();
        }
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder)).await;
        fs::write(done, wanted).unwrap();
    }
    folder
}

async fn run(command: &mut Command) -> String {
    let output = timeout(LIMIT, command.kill_on_drop(true).output())
        .await
        .unwrap_or_else(|_| panic!("{command:?} did not end in {LIMIT:?}"))
        .unwrap_or_else(|error| {
            panic!("{command:?}: {error}; ./scripts/setup.sh --test installs it")
        });
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {out}\n{err}");
    out.into_owned()
}
