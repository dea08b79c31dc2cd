// SPDX-License-Identifier: Apache-2.0
//! A snapshot of a runtime as text, one fact a line, so that a change of it can be reviewed.

use std::{collections::BTreeSet, fmt, num::ParseIntError, str::FromStr};

/// A runtime, as far as its versions stand for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub spec_version: u32,
    pub transaction_version: u32,
    /// The hash over the sources, in hex.
    pub sources: String,
    /// Lines that say what an extrinsic's bytes mean: calls, the types of their arguments, extensions.
    pub signed: BTreeSet<String>,
}

/// A text that is not a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum NotASnapshot {
    #[error("line '{0}' begins with none of the known words")]
    Unknown(String),
    #[error("'{0}' is not a version: {1}")]
    Version(String, ParseIntError),
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# SPDX-License-Identifier: Apache-2.0")?;
        writeln!(f, "# The runtime of the last release, written by ./scripts/snapshot.sh.")?;
        writeln!(f, "spec_version {}", self.spec_version)?;
        writeln!(f, "transaction_version {}", self.transaction_version)?;
        writeln!(f, "sources {}", self.sources)?;
        self.signed.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for Snapshot {
    type Err = NotASnapshot;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut read = Self::default();
        let version = |text: &str| {
            text.parse::<u32>().map_err(|cause| NotASnapshot::Version(text.into(), cause))
        };
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.split_once(' ') {
                Some(("spec_version", rest)) => read.spec_version = version(rest)?,
                Some(("transaction_version", rest)) => read.transaction_version = version(rest)?,
                Some(("sources", rest)) => read.sources = rest.into(),
                Some(("call" | "type" | "extensions", _)) => {
                    read.signed.insert(line.into());
                }
                _ => return Err(NotASnapshot::Unknown(line.into())),
            }
        }
        Ok(read)
    }
}

#[test]
fn snapshot_is_read_as_it_was_written() {
    let written = Snapshot {
        spec_version: 3,
        transaction_version: 2,
        sources: "ab".into(),
        signed: ["call 000.000 System.remark(remark: [u8])".into(), "extensions A, B".into()]
            .into(),
    };
    assert_eq!(written.to_string().parse::<Snapshot>().expect("it is one"), written);
}

#[test]
fn snapshot_of_unknown_lines_is_refused() {
    assert!("colour green".parse::<Snapshot>().is_err());
    assert!("spec_version one".parse::<Snapshot>().is_err());
}
