// SPDX-License-Identifier: Apache-2.0
//! Ways in which an operator can cheat, to show on a development chain that it is caught.

use std::{fmt, str::FromStr};

/// A dishonest operator's way. The node refuses it on any chain whose specification is not of type
/// Development. Verification stays honest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// One token in the middle of the output is another.
    WrongToken,
    /// The second half of the output is missing, and it claims to have ended by itself.
    Truncate,
    /// A coarser quantisation of the model answers.
    WrongModel,
    /// Jobs are accepted and never delivered.
    Silent,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::WrongToken, Self::Truncate, Self::WrongModel, Self::Silent];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongToken => "wrong-token",
            Self::Truncate => "truncate",
            Self::WrongModel => "wrong-model",
            Self::Silent => "silent",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|fault| fault.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("unknown fault '{name}'; there are {names}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_names_are_parsed() {
        for fault in Fault::ALL {
            assert_eq!(fault.name().parse(), Ok(fault));
        }
    }

    #[test]
    fn unknown_fault_is_refused_with_the_names() {
        let error = "lazy".parse::<Fault>().unwrap_err();
        assert!(error.contains("'lazy'") && error.contains("wrong-token"), "{error}");
    }
}
