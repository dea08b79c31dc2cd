// SPDX-License-Identifier: Apache-2.0
//! The secret of this node, from which the salts of its commitments are derived. Nobody else can guess
//! a salt, and each is the same after a restart.

use assay_primitives::JobId;
use codec::Encode;
use sp_crypto_hashing::blake2_256;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The bytes of a secret.
const SECRET_BYTES: usize = 32;

/// A secret of 32 random bytes, kept in a file that only the node's user can read.
pub struct Secret([u8; SECRET_BYTES]);

/// The purpose of a salt.
#[derive(Encode)]
pub enum Purpose {
    /// The transcript of an output.
    Output,
    /// A verdict.
    Verdict,
}

/// A reason why the secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read, or cannot be created.
    #[error("the worker's secret {path} cannot be read or created: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: io::Error,
    },
    /// There is something else at the path of the file.
    #[error(
        "the worker's secret {path} is not a file; move away what is there, and restore the secret from a \
         backup, or name its file with --worker-secret"
    )]
    NotFile {
        /// The path.
        path: PathBuf,
    },
    /// The file has another length.
    #[error(
        "the worker's secret {path} has {bytes} bytes instead of 32; restore it from a backup, or \
         remove it together with the store {store} while no audit of yours is open"
    )]
    Length {
        /// The file.
        path: PathBuf,
        /// The length of the file in bytes.
        bytes: u64,
        /// The file of the store.
        store: PathBuf,
    },
    /// Other users can read or write the file.
    #[error(
        "the worker's secret {path} is open to other users, because its mode is {mode:04o}; run \
         `chmod 600 {path}`"
    )]
    Mode {
        /// The file.
        path: PathBuf,
        /// The permissions.
        mode: u32,
    },
    /// There is no secret, but a store of work that was done with one. Another secret would make
    /// other salts, with which the node cannot reveal the verdicts that it has committed to.
    #[error(
        "the worker's secret {path} is missing and the store {store} holds work that was done with \
         it; restore the secret from a backup, or, if it is lost, remove the store while no audit of \
         yours is open"
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// The file of the store.
        store: PathBuf,
    },
}

impl Secret {
    /// Reads the secret, and creates it if there is neither a secret nor a store.
    pub fn open(path: &Path, store: &Path) -> Result<Self, SecretError> {
        let failed = |error| SecretError::Io { path: path.into(), error };
        match File::open(path) {
            Ok(file) => Self::read(path, file, store),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if store.exists() {
                    return Err(SecretError::Missing { path: path.into(), store: store.into() });
                }
                Self::create(path).map_err(failed)
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn read(path: &Path, mut file: File, store: &Path) -> Result<Self, SecretError> {
        let failed = |error| SecretError::Io { path: path.into(), error };
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(SecretError::NotFile { path: path.into() });
        }
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SecretError::Mode { path: path.into(), mode });
        }
        let (path, store) = (path.into(), store.into());
        if metadata.len() != SECRET_BYTES as u64 {
            return Err(SecretError::Length { path, bytes: metadata.len(), store });
        }
        let mut secret = [0; SECRET_BYTES];
        file.read_exact(&mut secret).map_err(|error| SecretError::Io { path, error })?;
        Ok(Self(secret))
    }

    /// Creates the file, and its folder if there is none.
    ///
    /// The file is written under another name first, so that a kill never leaves half a secret. The
    /// folders are synced as well, so that a power cut after the first commitment does not take it.
    fn create(path: &Path) -> io::Result<Self> {
        let secret: [u8; 32] = rand::random();
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let draft = path.with_extension("new");
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(&secret)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        let folder = fs::canonicalize(folder)?;
        File::open(&folder)?.sync_all()?;
        // These may be new too. Those that are not ours cannot be synced and are not new.
        for above in folder.ancestors().skip(1) {
            if File::open(above).and_then(|above| above.sync_all()).is_err() {
                break;
            }
        }
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

    /// Opens the secret of that folder, which has no store.
    fn open(dir: &tempfile::TempDir) -> Result<Secret, SecretError> {
        Secret::open(&dir.path().join("secret"), &dir.path().join("store"))
    }

    #[test]
    fn secret_is_the_same_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let job = JobId::repeat_byte(7);
        let first = open(&dir).unwrap().salt(Purpose::Verdict, &job);
        let second = open(&dir).unwrap();
        assert_eq!(first, second.salt(Purpose::Verdict, &job));
        assert_ne!(first, second.salt(Purpose::Output, &job));
        assert_ne!(first, second.salt(Purpose::Verdict, &JobId::zero()));
    }

    #[test]
    fn secret_of_the_wrong_length_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        open(&dir).unwrap();
        fs::write(dir.path().join("secret"), [1; 31]).unwrap();
        let error = open(&dir).err().unwrap().to_string();
        assert!(error.contains("31 bytes"), "{error}");
    }

    #[test]
    fn folder_in_place_of_the_secret_is_refused_without_advice_on_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("secret")).unwrap();
        let error = open(&dir).err().unwrap();
        assert!(matches!(error, SecretError::NotFile { .. }));
        let error = error.to_string();
        assert!(error.contains("not a file") && !error.contains("chmod"), "{error}");
    }

    #[test]
    fn secret_without_an_end_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let error = Secret::open(Path::new("/dev/zero"), &dir.path().join("store")).err().unwrap();
        assert!(matches!(error, SecretError::NotFile { .. }), "{error}");
    }

    #[test]
    fn secret_is_readable_by_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        open(&dir).unwrap();
        let path = dir.path().join("secret");
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn secret_that_others_can_read_is_refused_with_the_remedy() {
        let dir = tempfile::tempdir().unwrap();
        open(&dir).unwrap();
        let path = dir.path().join("secret");
        for mode in [0o640, 0o604, 0o620, 0o777] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = open(&dir).err().unwrap();
            assert!(matches!(error, SecretError::Mode { mode: found, .. } if found == mode));
            let error = error.to_string();
            assert!(error.contains(&format!("`chmod 600 {}`", path.display())), "{error}");
            assert!(error.contains(&format!("{mode:04o}")), "{error}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        open(&dir).unwrap();
    }

    #[test]
    fn missing_secret_of_a_store_is_not_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("store"), "").unwrap();
        let error = open(&dir).err().unwrap();
        assert!(matches!(error, SecretError::Missing { .. }), "{error}");
        assert!(!dir.path().join("secret").exists());
    }

    #[test]
    fn secret_is_created_in_a_folder_that_is_new() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/assay/secret");
        Secret::open(&path, &dir.path().join("store")).unwrap();
        let folder = fs::metadata(path.parent().unwrap()).unwrap();
        assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn draft_that_a_kill_left_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("secret.new"), "half").unwrap();
        open(&dir).unwrap();
        open(&dir).unwrap();
        assert!(!dir.path().join("secret.new").exists());
    }
}
