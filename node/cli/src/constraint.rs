// SPDX-License-Identifier: Apache-2.0
//! The constraint of an order.

use crate::{
    args::{ConstraintArgs, SchemaArgument},
    bounded,
    fault::Fault,
};
use anyhow::{Context, Result};
use assay_engine::{
    constraint::{COMPILER, COMPILER_VERSION, MAX_SOURCE_BYTES},
    EngineError, Form, Model,
};
use assay_primitives::request::{Compiled, Constraint};
use std::{fs::File, path::Path};

/// Returns the constraint that the arguments ask for.
///
/// # Errors
///
/// Its file cannot be read, or it does not compile.
pub fn of(args: &ConstraintArgs) -> Result<Constraint> {
    let ConstraintArgs { json_schema, regex, grammar } = args;
    let (form, source) = match (json_schema, regex, grammar) {
        (Some(SchemaArgument::Json(schema)), ..) => (Form::JsonSchema, schema.clone()),
        (Some(SchemaArgument::File(path)), ..) => (Form::JsonSchema, read("--json-schema", path)?),
        (_, Some(regex), _) => (Form::Regex, regex.clone()),
        (.., Some(path)) => (Form::Grammar, read("--grammar", path)?),
        (None, None, None) => return Ok(Constraint::None),
    };
    let constraint = assay_engine::Constraint::new(form, &*source);
    // Whether a source compiles does not depend on the model. The node's compiler has the last word.
    match constraint.ensure_compiles(&Model::tiny()?) {
        Ok(()) | Err(EngineError::ConstraintResource { .. } | EngineError::Io { .. }) => {}
        Err(error) => return Err(Fault::error("constraint", error.to_string())),
    }
    let (compiler, version) = (COMPILER.into(), COMPILER_VERSION.into());
    let compiled = Compiled { source, compiler, version };
    Ok(match form {
        Form::JsonSchema => Constraint::JsonSchema(compiled),
        Form::Regex => Constraint::Regex(compiled),
        Form::Grammar => Constraint::Grammar(compiled),
    })
}

fn read(option: &str, path: &Path) -> Result<String> {
    let name = path.display();
    let file =
        File::open(path).with_context(|| format!("cannot read the file of {option} {name}"))?;
    let bytes = bounded::bytes(file, MAX_SOURCE_BYTES, &format!("the file {name}"))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Fault::error("not_text", format!("the file {name} is not UTF-8 at byte {at}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(args: &ConstraintArgs) -> (String, String) {
        let error = of(args).unwrap_err();
        let code = error.downcast_ref::<Fault>().map(|fault| fault.code.clone());
        (code.unwrap_or_default(), format!("{error:#}"))
    }

    #[test]
    fn source_is_sent_as_it_is_with_the_compiler() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "start: \"a\"+\n").unwrap();
        let compiled = |source: &str| Compiled {
            source: source.into(),
            compiler: "llguidance".into(),
            version: COMPILER_VERSION.into(),
        };
        let none = ConstraintArgs::default();
        assert_eq!(of(&none).unwrap(), Constraint::None);
        let schema = SchemaArgument::Json(" {\"type\":  \"null\"}".into());
        let schema = ConstraintArgs { json_schema: Some(schema), ..none.clone() };
        let expected = Constraint::JsonSchema(compiled(" {\"type\":  \"null\"}"));
        assert_eq!(of(&schema).unwrap(), expected);
        let regex = ConstraintArgs { regex: Some("(yes|no)".into()), ..none.clone() };
        assert_eq!(of(&regex).unwrap(), Constraint::Regex(compiled("(yes|no)")));
        let grammar = ConstraintArgs { grammar: Some(file.path().into()), ..none };
        assert_eq!(of(&grammar).unwrap(), Constraint::Grammar(compiled("start: \"a\"+\n")));
    }

    #[test]
    fn source_that_is_missing_not_text_or_does_not_compile_is_refused() {
        let none = ConstraintArgs::default();
        let regex = ConstraintArgs { regex: Some("(a".into()), ..none.clone() };
        let (code, message) = refused(&regex);
        assert_eq!(code, "constraint");
        assert!(message.contains("unclosed group"), "{message}");
        let missing = SchemaArgument::File("/nowhere".into());
        let (_, message) = refused(&ConstraintArgs { json_schema: Some(missing), ..none.clone() });
        assert!(message.contains("--json-schema /nowhere"), "{message}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, b"start: \"\xff\"").unwrap();
        let (code, message) =
            refused(&ConstraintArgs { grammar: Some(file.path().into()), ..none });
        assert_eq!(code, "not_text");
        assert!(message.contains("not UTF-8 at byte 8"), "{message}");
    }
}
