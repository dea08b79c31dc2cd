// SPDX-License-Identifier: Apache-2.0
//! Files with secrets, which only their owner may read.

use crate::{bounded, fault::Fault};
use anyhow::{Context, Result};
use std::{
    fs::{File, OpenOptions, Permissions},
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};
use zeroize::Zeroizing;

/// The permissions of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Reads a file with a secret; `what` says in errors which one. A file that others can open is refused:
/// the secret may be known already.
pub fn read(path: &Path, what: &str) -> Result<Zeroizing<String>> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("cannot read the {what} {shown}"))?;
    let metadata = file.metadata().with_context(|| format!("cannot read the {what} {shown}"))?;
    // A pipe has no permissions that matter.
    let mode = metadata.permissions().mode() & 0o777;
    if metadata.is_file() && mode & OTHERS != 0 {
        return Err(Fault::error(
            "file_not_private",
            format!(
                "the {what} {shown} is open to other users of this machine (mode {mode:03o}); make it \
                 yours alone with `chmod 600 {shown}`"
            ),
        ));
    }
    bounded::secret(file, &format!("the {what} {shown}"))
}

/// Fails if a file exists at the path of a new one. It is found out before anything is asked for that the
/// file would hold.
pub fn ensure_new(path: &Path, what: &str) -> Result<()> {
    // A link that leads nowhere is in the way too.
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(Fault::error(
        "file_exists",
        format!(
            "the {what} {} exists already and is not overwritten; name another file",
            path.display()
        ),
    ))
}

/// Writes a secret into a new file that only its owner can open.
pub fn write(path: &Path, what: &str, text: &str) -> Result<()> {
    let shown = path.display();
    ensure_new(path, what)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot create the {what} {shown}"))?;
    // The umask reduces the mode above; this one is exact.
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write the {what} {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn file_is_for_its_owner_alone_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write(&path, "key file", "one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(*read(&path, "key file").unwrap(), "one");
        let error = write(&path, "key file", "two").unwrap_err();
        assert_eq!(error.downcast_ref::<Fault>().unwrap().code, "file_exists");
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    }

    #[test]
    fn file_that_others_can_read_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write(&path, "key file", "one").unwrap();
        for mode in [0o640, 0o604, 0o620, 0o601] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = read(&path, "key file").err().unwrap();
            let fault = error.downcast_ref::<Fault>().unwrap();
            assert_eq!(fault.code, "file_not_private");
            let remedy = format!("chmod 600 {}", path.display());
            assert!(fault.message.contains(&remedy), "{}", fault.message);
        }
        fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        assert!(read(&path, "key file").is_ok());
    }
}
