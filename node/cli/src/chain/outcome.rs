// SPDX-License-Identifier: Apache-2.0
//! Errors of calls, by the names and in the words that the runtime documents.

use crate::fault::Fault;
use assay_runtime::RuntimeError;
use scale_info::{TypeDef, TypeInfo, Variant};
use sp_runtime::{DispatchError, ModuleError};

/// Converts an error of a call: the code is `pallet.ErrorName`, the message its documentation.
pub fn fault(error: &DispatchError) -> Fault {
    let known = match error {
        DispatchError::Module(module) => module_fault(module),
        _ => None,
    };
    known.unwrap_or_else(|| {
        let (code, message) = match error {
            DispatchError::Token(token) => (format!("token.{token:?}"), message((*token).into())),
            DispatchError::Arithmetic(kind) => {
                (format!("arithmetic.{kind:?}"), message((*kind).into()))
            }
            DispatchError::BadOrigin => {
                ("system.BadOrigin".into(), "this account is not allowed to do that".into())
            }
            DispatchError::CannotLookup => {
                ("system.CannotLookup".into(), "the chain has no account for that address".into())
            }
            other => (format!("chain.{other:?}"), format!("the chain refused the call: {other:?}")),
        };
        Fault { code, message }
    })
}

/// Turns a sentence of documentation into a message, which starts in lower case and has no full stop.
fn message(documentation: &str) -> String {
    let text = documentation.trim();
    let text = text.strip_suffix('.').unwrap_or(text);
    let mut rest = text.chars();
    match rest.next() {
        // A name or an abbreviation keeps its capitals.
        Some(first) if !rest.clone().next().is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(rest).collect()
        }
        _ => text.to_string(),
    }
}

/// Looks the error up in the runtime's own description of its types.
fn module_fault(error: &ModuleError) -> Option<Fault> {
    let runtime = RuntimeError::type_info();
    let pallet = variant(&runtime.type_def, error.index)?;
    let errors = pallet.fields.first()?.ty.type_info();
    let known = variant(&errors.type_def, *error.error.first()?)?;
    let pallet =
        pallet.name.chars().take(1).flat_map(char::to_lowercase).chain(pallet.name.chars().skip(1));
    Some(Fault {
        code: format!("{}.{}", pallet.collect::<String>(), known.name),
        message: with_commands(message(&known.docs.join(" "))),
    })
}

/// The commands that send the calls which the documentation of errors names.
const COMMANDS: [(&str, &str); 5] = [
    ("set_worker", "assay operator worker"),
    ("set_draining", "assay operator drain"),
    ("retire_worker", "assay operator retire-worker"),
    ("bond_extra", "assay operator bond"),
    ("withdraw_delegation", "assay delegate withdraw"),
];

/// Names the command in place of each call.
fn with_commands(message: String) -> String {
    COMMANDS.iter().fold(message, |message, (call, command)| {
        message.replace(&format!("`{call}`"), &format!("`{command}`"))
    })
}

fn variant(definition: &TypeDef, index: u8) -> Option<&Variant> {
    match definition {
        TypeDef::Variant(variants) => {
            variants.variants.iter().find(|variant| variant.index == index)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_runtime::Runtime;
    use clap::CommandFactory;

    #[test]
    fn pallet_error_has_its_name_and_its_documentation() {
        let error = pallet_jobs::Error::<Runtime>::ContextExceeded.into();
        let fault = fault(&error);
        assert_eq!(fault.code, "jobs.ContextExceeded");
        assert!(fault.message.starts_with("prompt and output exceed"), "{}", fault.message);
    }

    #[test]
    fn error_of_each_own_pallet_is_found() {
        for (error, code) in [
            (pallet_escrow::Error::<Runtime>::NothingToClaim.into(), "escrow.NothingToClaim"),
            (pallet_operators::Error::<Runtime>::NotOperator.into(), "operators.NotOperator"),
            (pallet_addresses::Error::<Runtime>::NotRegistered.into(), "addresses.NotRegistered"),
            (frame_system::Error::<Runtime>::CallFiltered.into(), "system.CallFiltered"),
        ] {
            assert_eq!(fault(&error).code, code);
        }
    }

    #[test]
    fn error_that_advises_a_call_names_its_command() {
        let fault = fault(&pallet_operators::Error::<Runtime>::WorkerRetiring.into());
        assert!(fault.message.contains("`assay operator retire-worker`"), "{}", fault.message);
        let errors = pallet_operators::Error::<Runtime>::type_info();
        let TypeDef::Variant(errors) = &errors.type_def else { panic!("it is an enum") };
        let docs: Vec<_> = errors.variants.iter().flat_map(|error| error.docs.clone()).collect();
        let docs = docs.join(" ");
        let quoted = docs.split('`').skip(1).step_by(2);
        let is_call = |word: &&str| word.contains('_') && *word == word.to_lowercase();
        for call in quoted.filter(is_call) {
            let command = COMMANDS.iter().find(|(known, _)| *known == call);
            let (_, command) = command.unwrap_or_else(|| panic!("{call} has no command"));
            let words = command.split(' ').chain(["--help"]);
            let help = crate::args::Cli::command().try_get_matches_from(words).unwrap_err();
            assert_eq!(help.kind(), clap::error::ErrorKind::DisplayHelp, "{command}");
        }
    }

    #[test]
    fn unknown_address_is_in_words() {
        let fault = fault(&DispatchError::CannotLookup);
        assert_eq!(fault.code, "system.CannotLookup");
        assert!(fault.message.contains("no account"), "{}", fault.message);
    }

    #[test]
    fn unknown_module_error_is_still_reported() {
        let error = DispatchError::Module(ModuleError { index: 99, error: [1; 4], message: None });
        assert!(fault(&error).message.contains("99"));
    }

    #[test]
    fn token_error_is_in_words() {
        let fault = fault(&sp_runtime::TokenError::FundsUnavailable.into());
        assert_eq!(fault.code, "token.FundsUnavailable");
        assert_eq!(fault.message, "funds are unavailable");
    }
}
