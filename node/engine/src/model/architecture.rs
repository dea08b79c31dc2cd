// SPDX-License-Identifier: Apache-2.0
//! The supported architectures and their differences.

use crate::{n1::Pairs, EngineError};

/// A family of models whose forward pass the engine computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Architecture {
    /// Llama 2 and 3, Mistral, TinyLlama and SmolLM.
    Llama,
    /// Qwen 2 and 2.5, whose queries, keys and values have biases.
    Qwen2,
    /// Qwen 3, in which each head of queries and keys is normalised.
    Qwen3,
    /// Gemma 3, in which most layers see a window of positions.
    Gemma3,
}

/// The function that gates a feed-forward network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gating {
    Silu,
    Gelu,
}

impl Architecture {
    const ALL: [Self; 4] = [Self::Llama, Self::Qwen2, Self::Qwen3, Self::Gemma3];

    /// Returns the architecture that `general.architecture` names.
    pub(super) fn named(name: &str) -> Result<Self, EngineError> {
        let found = Self::ALL.into_iter().find(|architecture| architecture.name() == name);
        found.ok_or_else(|| EngineError::UnknownArchitecture {
            name: name.into(),
            supported: Self::ALL.map(Self::name).to_vec(),
        })
    }

    /// Returns the architecture's name, which is also the prefix of its metadata keys.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gemma3 => "gemma3",
        }
    }

    pub(super) fn rope_pairs(self) -> Pairs {
        match self {
            Self::Llama => Pairs::Neighbours,
            Self::Qwen2 | Self::Qwen3 | Self::Gemma3 => Pairs::Halves,
        }
    }

    pub(super) fn has_biases(self) -> bool {
        self == Self::Qwen2
    }

    pub(super) fn has_head_norms(self) -> bool {
        matches!(self, Self::Qwen3 | Self::Gemma3)
    }

    /// Returns whether the results of attention and of the feed-forward network are normalised before they are
    /// added to the stream.
    pub(super) fn has_post_norms(self) -> bool {
        self == Self::Gemma3
    }

    pub(super) fn gating(self) -> Gating {
        match self {
            Self::Llama | Self::Qwen2 | Self::Qwen3 => Gating::Silu,
            Self::Gemma3 => Gating::Gelu,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_finds_each_architecture() {
        for architecture in Architecture::ALL {
            assert_eq!(Architecture::named(architecture.name()).unwrap(), architecture);
        }
    }

    #[test]
    fn named_refuses_another_and_lists_all_that_it_knows() {
        let message = Architecture::named("mamba").unwrap_err().to_string();
        for name in ["mamba"].into_iter().chain(Architecture::ALL.map(Architecture::name)) {
            assert!(message.contains(&format!("{name:?}")), "{message}");
        }
    }
}
