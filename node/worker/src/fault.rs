// SPDX-License-Identifier: Apache-2.0
//! Ways in which an operator can cheat, which show on a development chain that it is caught.

use assay_primitives::FinishReason;
use std::{fmt, str::FromStr};

/// A way in which a dishonest operator cheats.
///
/// The node refuses to cheat on a chain whose specification is not of type Development. It verifies
/// honestly in any case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Replaces one token in the middle of the output.
    WrongToken,
    /// Leaves out the second half of the output and claims that the model ended it.
    Truncate,
    /// Answers with a coarser quantisation of the model.
    WrongModel,
    /// Accepts jobs and never delivers.
    Silent,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 4] = [Self::WrongToken, Self::Truncate, Self::WrongModel, Self::Silent];

    /// Returns the name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongToken => "wrong-token",
            Self::Truncate => "truncate",
            Self::WrongModel => "wrong-model",
            Self::Silent => "silent",
        }
    }

    /// Changes an honest output as a dishonest operator does.
    pub fn falsify(self, output: &mut Vec<u32>, finish: &mut FinishReason) {
        match self {
            Self::WrongToken => {
                let middle = output.len() / 2;
                if let Some(token) = output.get_mut(middle) {
                    *token ^= 1;
                }
            }
            Self::Truncate => {
                output.truncate(output.len().div_ceil(2));
                *finish = FinishReason::EndToken;
            }
            Self::WrongModel | Self::Silent => {}
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
            format!("unknown fault '{name}'; choose one of {names}")
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

    #[test]
    fn truncated_output_claims_to_have_ended() {
        let (mut output, mut finish) = (vec![1, 2, 3], FinishReason::Length);
        Fault::Truncate.falsify(&mut output, &mut finish);
        assert_eq!((output, finish), (vec![1, 2], FinishReason::EndToken));
    }
}
