// SPDX-License-Identifier: Apache-2.0
//! The models that operators offer or the node has loaded, found by name or id.

use crate::{args, chain::Chain, fault::Fault};
use anyhow::Result;
use assay_primitives::ModelId;
use assay_rpc::NodeStatus;
use std::{collections::BTreeMap, fmt};

/// The fewest hexadecimal digits that count as the beginning of an id.
const MIN_PREFIX: usize = 4;

/// A model that an operator offers or the node has loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownModel {
    /// Id of the model.
    pub id: ModelId,
    /// Name of the model, if the node has it.
    pub name: Option<String>,
    /// Longest context in tokens, if the node has the model.
    pub context: Option<u32>,
    /// Whether an operator serves the model.
    pub served: bool,
}

impl fmt::Display for KnownModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} ({:?})", self.id),
            None => write!(f, "{:?}", self.id),
        }
    }
}

/// All models that operators offer or the node has loaded.
pub struct Models(Vec<KnownModel>);

impl Models {
    /// Reads the models that a node and its chain know.
    pub async fn of_node(chain: &Chain) -> Result<Self> {
        Self::read(chain, &chain.node_status().await?).await
    }

    /// Returns the id of the model that is meant. A complete id need not be known to the node.
    pub async fn id(chain: &Chain, wanted: &str) -> Result<ModelId> {
        match args::id(wanted) {
            Ok(id) => Ok(id),
            Err(_) => Ok(Self::of_node(chain).await?.find(wanted)?.id),
        }
    }

    /// Reads the models that operators offer, and adds those of a node's status.
    pub async fn read(chain: &Chain, node: &NodeStatus) -> Result<Self> {
        Ok(Self::of(node, &chain.models().await?))
    }

    /// Returns an empty list.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    fn of(node: &NodeStatus, offered: &[ModelId]) -> Self {
        let mut all = BTreeMap::new();
        for model in node.worker.iter().flat_map(|worker| &worker.models) {
            let name = Some(model.name.clone());
            let context = Some(model.context);
            all.insert(model.id, KnownModel { id: model.id, name, context, served: false });
        }
        for id in offered.iter().copied() {
            all.entry(id)
                .or_insert(KnownModel { id, name: None, context: None, served: true })
                .served = true;
        }
        Self(all.into_values().collect())
    }

    /// Returns the served model that is meant, which is the only one if none is named.
    pub fn choose(&self, wanted: Option<&str>) -> Result<KnownModel> {
        let served: Vec<&KnownModel> = self.0.iter().filter(|model| model.served).collect();
        let Some(wanted) = wanted else {
            return match served.as_slice() {
                [one] => Ok((*one).clone()),
                [] => Err(Fault::error(
                    "jobs.ModelNotServed",
                    "no operator serves a model on this chain; `assay operator register` makes you one",
                )),
                _ => Err(Fault::error(
                    "model_ambiguous",
                    format!("operators serve several models; name one with --model: {}", list(&served)),
                )),
            };
        };
        let model = self.find(wanted)?;
        if !model.served {
            return Err(Fault::error(
                "jobs.ModelNotServed",
                format!("no operator serves the model {model}; operators serve: {}", list(&served)),
            ));
        }
        Ok(model)
    }

    /// Returns the model with that name, id, or beginning of an id.
    pub fn find(&self, wanted: &str) -> Result<KnownModel> {
        let digits = wanted.trim_start_matches("0x").to_lowercase();
        let is_hex = digits.len() >= MIN_PREFIX && digits.chars().all(|c| c.is_ascii_hexdigit());
        let fits = |model: &&KnownModel| {
            model.name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(wanted))
                || is_hex && hex::encode(model.id).starts_with(&digits)
        };
        let found: Vec<&KnownModel> = self.0.iter().filter(fits).collect();
        match found.as_slice() {
            [one] => Ok((*one).clone()),
            [] => Err(Fault::error(
                "jobs.ModelNotServed",
                format!(
                    "neither an operator nor this node has a model '{wanted}'; there are: {}",
                    list(&self.0.iter().collect::<Vec<_>>())
                ),
            )),
            _ => Err(Fault::error(
                "model_ambiguous",
                format!("several models match '{wanted}'; write more of the id: {}", list(&found)),
            )),
        }
    }

    /// Returns the name of a model, if the node knows it.
    pub fn name(&self, id: &ModelId) -> Option<&str> {
        self.0.iter().find(|model| model.id == *id)?.name.as_deref()
    }
}

fn list(models: &[&KnownModel]) -> String {
    if models.is_empty() {
        return "none".into();
    }
    models.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(byte: u8, name: Option<&str>, served: bool) -> KnownModel {
        KnownModel {
            id: ModelId::repeat_byte(byte),
            name: name.map(Into::into),
            context: None,
            served,
        }
    }

    fn code(result: Result<KnownModel>) -> String {
        result.unwrap_err().downcast::<Fault>().unwrap().code
    }

    #[test]
    fn only_served_model_needs_no_name() {
        let models = Models(vec![known(1, Some("tiny"), true), known(2, None, false)]);
        assert_eq!(models.choose(None).unwrap().id, ModelId::repeat_byte(1));
        assert_eq!(code(Models(vec![]).choose(None)), "jobs.ModelNotServed");
        let models = Models(vec![known(1, None, true), known(2, None, true)]);
        assert_eq!(code(models.choose(None)), "model_ambiguous");
    }

    #[test]
    fn model_is_found_by_name_id_and_beginning() {
        let models = Models(vec![known(0xab, Some("tiny"), true), known(0xac, None, true)]);
        let full = format!("{:?}", ModelId::repeat_byte(0xab));
        for wanted in ["tiny", "TINY", "0xabab", "abab", &full] {
            assert_eq!(models.choose(Some(wanted)).unwrap().id, ModelId::repeat_byte(0xab));
        }
        assert_eq!(code(models.choose(Some("huge"))), "jobs.ModelNotServed");
        assert_eq!(code(models.choose(Some("ab"))), "jobs.ModelNotServed");
    }

    #[test]
    fn model_that_nobody_serves_is_refused() {
        let models = Models(vec![known(1, Some("tiny"), false)]);
        assert_eq!(code(models.choose(Some("tiny"))), "jobs.ModelNotServed");
        assert!(models.find("tiny").is_ok());
    }
}
