// SPDX-License-Identifier: Apache-2.0
//! The comparison of a text with its tokens by a model that this command opens itself.

use crate::{
    fault::{Fault, OfJob},
    fetch::local,
    known_output::KnownOutput,
    standing::Standing,
};
use anyhow::{anyhow, Context, Result};
use assay_engine::Model;
use assay_primitives::{JobId, ModelId};
use assay_runtime::presets::TINY_MODEL;
use std::path::Path;

/// Opens the model of a job: the file that is named, or the built-in model. `None` if the model is
/// another one and no file is named.
pub fn open(model: &ModelId, file: Option<&Path>) -> Result<Option<Model>> {
    let Some(path) = file else {
        if *model != TINY_MODEL {
            return Ok(None);
        }
        return Ok(Some(Model::tiny().map_err(|error| anyhow!("{error}"))?));
    };
    let path = local::file(path)?;
    let opened = Model::open(&path)
        .map_err(|error| Fault::error("model", error.to_string()))
        .with_context(|| format!("cannot open the model file {}", path.display()))?;
    let is = ModelId::from(opened.root());
    if is != *model {
        return Err(Fault::error(
            "other_model",
            format!(
                "{} is the model {is:?}, but the job's is {model:?}; name the file of that one with \
                 --model-file, or none",
                path.display()
            ),
        ));
    }
    Ok(Some(opened))
}

/// Returns an error if the text of an output is not that of its tokens. A rejected output needs none:
/// the verdict says more.
pub fn ensure(job: &JobId, known: &KnownOutput, standing: Standing) -> Result<()> {
    if known.text_matches() != Some(false) || standing == Standing::Rejected {
        return Ok(());
    }
    Err(Fault::error(
        "text_mismatch",
        "the operator committed to a text that is not the text of its tokens; do not rely on the text",
    )
    .context(OfJob(*job)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::transcript;
    use assay_primitives::worker::Transcript;

    fn code(error: &anyhow::Error) -> &str {
        &error.downcast_ref::<Fault>().expect("it is a fault").code
    }

    #[test]
    fn text_of_other_tokens_is_an_error_unless_it_is_rejected() {
        let job = JobId::repeat_byte(1);
        let tiny = open(&TINY_MODEL, None).unwrap().expect("it is built in");
        let mut honest = KnownOutput::sample(&transcript(), None);
        honest.compare(&tiny);
        ensure(&job, &honest, Standing::Unaudited).unwrap();
        let mut lie =
            KnownOutput::sample(&Transcript { text: b"C".to_vec(), ..transcript() }, None);
        lie.compare(&tiny);
        let error = ensure(&job, &lie, Standing::Unaudited).unwrap_err();
        assert_eq!(code(&error), "text_mismatch");
        assert_eq!(error.downcast_ref(), Some(&OfJob(job)));
        ensure(&job, &lie, Standing::Rejected).unwrap();
    }

    #[test]
    fn file_of_another_model_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tiny.gguf");
        std::fs::write(&path, Model::tiny().unwrap().file().unwrap()).unwrap();
        assert!(open(&TINY_MODEL, Some(&path)).unwrap().is_some());
        let other = ModelId::repeat_byte(1);
        let error = open(&other, Some(&path)).err().unwrap();
        assert_eq!(code(&error), "other_model");
        assert!(open(&other, None).unwrap().is_none());
    }
}
