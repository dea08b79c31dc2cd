// SPDX-License-Identifier: Apache-2.0
//! The secret of this node, from which the salts of its commitments are derived. Nobody else can guess
//! a salt, and each is the same after a restart.

use assay_primitives::JobId;
use codec::Encode;
use sp_crypto_hashing::blake2_256;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// A secret of 32 random bytes, kept in a file that only the node's user can read.
pub struct Secret([u8; 32]);

/// The purpose of a salt.
#[derive(Encode)]
pub enum Purpose {
    /// The transcript of an output.
    Output,
    /// A verdict.
    Verdict,
}

impl Secret {
    /// Reads the secret, and creates it if there is none.
    pub fn open(path: &Path) -> io::Result<Self> {
        match fs::read(path) {
            Ok(bytes) => bytes.try_into().map(Self).map_err(|bytes: Vec<u8>| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!(
                        "{} has {} bytes instead of 32; restore it from a backup, or remove it \
                         while no audit of yours is open",
                        path.display(),
                        bytes.len()
                    ),
                )
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(error) => Err(error),
        }
    }

    // The file is written under another name first, so that a kill never leaves half a secret.
    fn create(path: &Path) -> io::Result<Self> {
        let secret: [u8; 32] = rand::random();
        let draft = path.with_extension("new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&secret)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        Ok(Self(secret))
    }

    /// Returns the salt of a job: blake2_256 of secret, purpose and job.
    pub fn salt(&self, purpose: Purpose, job: &JobId) -> [u8; 32] {
        (self.0, purpose, job).using_encoded(blake2_256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_the_same_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        let job = JobId::repeat_byte(7);
        let first = Secret::open(&path).unwrap().salt(Purpose::Verdict, &job);
        let second = Secret::open(&path).unwrap();
        assert_eq!(first, second.salt(Purpose::Verdict, &job));
        assert_ne!(first, second.salt(Purpose::Output, &job));
        assert_ne!(first, second.salt(Purpose::Verdict, &JobId::zero()));
    }

    #[test]
    fn secret_of_the_wrong_length_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        fs::write(&path, [1; 31]).unwrap();
        let error = Secret::open(&path).err().unwrap().to_string();
        assert!(error.contains("31 bytes"), "{error}");
    }

    #[test]
    fn secret_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        Secret::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
