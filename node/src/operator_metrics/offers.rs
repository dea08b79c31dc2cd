// SPDX-License-Identifier: Apache-2.0
//! The metrics of the models that operators offer, at the best block.

use super::gauges::{asy, BILLIONTHS};
use assay_primitives::api::{Allocation, OfferView};
use assay_runtime::AccountId;
use sp_core::crypto::Ss58Codec;
use std::collections::{BTreeMap, BTreeSet};
use substrate_prometheus_endpoint::{register, GaugeVec, Opts, PrometheusError, Registry, F64};

/// The unit of speeds on the chain.
const THOUSANDTHS: f64 = 1e3;

/// The gauges of offers. Each series has the label of an operator and that of a model.
pub struct Offers {
    input_price: GaugeVec<F64>,
    output_price: GaugeVec<F64>,
    draw_share: GaugeVec<F64>,
    speed: GaugeVec<F64>,
    /// The models that each operator is shown with.
    shown: BTreeMap<String, BTreeSet<String>>,
}

impl Offers {
    /// Registers the gauges.
    pub fn register(registry: &Registry) -> Result<Self, PrometheusError> {
        let gauge = |name: &str, help: &str| {
            register(GaugeVec::new(Opts::new(name, help), &["operator", "model"])?, registry)
        };
        Ok(Self {
            input_price: gauge(
                "assay_operator_input_price_asy",
                "ASY that the operator asks for a token that the model reads",
            )?,
            output_price: gauge(
                "assay_operator_output_price_asy",
                "ASY that the operator asks for a token that the model writes",
            )?,
            draw_share: gauge(
                "assay_operator_draw_share_ratio",
                "Share of the model's draws that the operator wins while all are equally busy",
            )?,
            speed: gauge(
                "assay_operator_speed_tokens_per_second",
                "Speed with the model as the chain has measured it",
            )?,
            shown: BTreeMap::new(),
        })
    }

    fn all(&self) -> [&GaugeVec<F64>; 4] {
        [&self.input_price, &self.output_price, &self.draw_share, &self.speed]
    }

    /// Removes all series, because the operators are others than before.
    pub fn clear(&mut self) {
        self.shown.clear();
        for gauge in self.all() {
            gauge.reset();
        }
    }

    /// Shows the offers of an operator, each with its part of the model's jobs, and removes the series of
    /// those that it has withdrawn.
    pub fn show(
        &mut self,
        operator: &AccountId,
        offers: &[(OfferView, Option<Allocation<AccountId>>)],
    ) {
        let operator = operator.to_ss58check();
        let models: BTreeSet<String> =
            offers.iter().map(|(offer, _)| format!("{:?}", offer.model)).collect();
        let before = self.shown.get(&operator).into_iter().flatten();
        for withdrawn in before.filter(|model| !models.contains(*model)) {
            for gauge in self.all() {
                remove(gauge, &operator, withdrawn);
            }
        }
        for (offer, allocation) in offers {
            let model = format!("{:?}", offer.model);
            let labels = [operator.as_str(), model.as_str()];
            self.input_price.with_label_values(&labels).set(asy(offer.prices.input));
            self.output_price.with_label_values(&labels).set(asy(offer.prices.output));
            let Some(allocation) = allocation else {
                remove(&self.draw_share, &operator, &model);
                remove(&self.speed, &operator, &model);
                continue;
            };
            let share = allocation.draw_share as f64 / BILLIONTHS;
            self.draw_share.with_label_values(&labels).set(share);
            self.speed.with_label_values(&labels).set(allocation.speed as f64 / THOUSANDTHS);
        }
        self.shown.insert(operator, models);
    }
}

/// Removes the series of an operator's model, if there is one.
fn remove(gauge: &GaugeVec<F64>, operator: &str, model: &str) {
    // An error means that there is none.
    let _ = gauge.remove_label_values(&[operator, model]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::{ModelId, Prices};

    fn offer(model: u8) -> OfferView {
        OfferView {
            model: ModelId::repeat_byte(model),
            prices: Prices::default(),
            context: 64,
            max_reward: 1,
            max_bond: 1,
        }
    }

    fn allocation(operator: AccountId) -> Allocation<AccountId> {
        Allocation {
            operator,
            drawable: true,
            uptime: 0,
            speed: 1,
            speed_share: 0,
            stake_share: 0,
            uptime_weight: 0,
            speed_weight: 0,
            stake_weight: 0,
            score: 0,
            draw_share: 1,
            assigned: 0,
            cap: 0,
        }
    }

    /// Returns the number of series of each gauge that has any, in the order of their names.
    fn series(registry: &Registry) -> Vec<usize> {
        registry.gather().iter().map(|family| family.get_metric().len()).collect()
    }

    #[test]
    fn withdrawn_offer_is_shown_no_longer() {
        let registry = Registry::new();
        let mut offers = Offers::register(&registry).unwrap();
        let [one, two] = [1, 2].map(|n| AccountId::new([n; 32]));
        let with = |model, operator: &AccountId| (offer(model), Some(allocation(operator.clone())));
        offers.show(&one, &[with(1, &one), with(2, &one)]);
        offers.show(&two, &[with(1, &two)]);
        assert_eq!(series(&registry), [3; 4]);
        offers.show(&one, &[with(2, &one)]);
        assert_eq!(series(&registry), [2; 4]);
        offers.show(&two, &[(offer(1), None)]);
        assert_eq!(series(&registry), [1, 2, 2, 1], "the prices stay");
        offers.show(&one, &[]);
        offers.clear();
        assert_eq!(series(&registry), [0; 0]);
    }
}
