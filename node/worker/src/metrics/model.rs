// SPDX-License-Identifier: Apache-2.0
//! The metric that names the models.

use assay_engine::Model;
use assay_primitives::ModelId;
use substrate_prometheus_endpoint::{register, GaugeVec, Opts, PrometheusError, Registry, U64};

/// Registers a series with the value 1 for each model, whose labels say its id, name and form.
pub fn register_models<'m>(
    registry: &Registry,
    models: impl Iterator<Item = (&'m ModelId, &'m Model)>,
) -> Result<(), PrometheusError> {
    let info = register(
        GaugeVec::<U64>::new(
            Opts::new("assay_model_info", "The value 1 for each model that is loaded"),
            &["model", "name", "architecture", "quantisation"],
        )?,
        registry,
    )?;
    for (id, model) in models {
        let form = model.info();
        let labels = [&format!("{id:?}"), &form.name, &form.architecture, &form.quantisation];
        info.with_label_values(&labels.map(String::as_str)).set(1);
    }
    Ok(())
}
