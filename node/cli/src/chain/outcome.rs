// SPDX-License-Identifier: Apache-2.0
//! What the chain says of an extrinsic: the names and the words of its errors.

use crate::exit::Fault;
use assay_runtime::RuntimeError;
use scale_info::{TypeDef, TypeInfo, Variant};
use sp_runtime::{DispatchError, ModuleError};

/// The error as `pallet.ErrorName`, with its documentation.
pub fn fault(error: &DispatchError) -> Fault {
    let known = match error {
        DispatchError::Module(module) => module_fault(module),
        _ => None,
    };
    known.unwrap_or_else(|| {
        let (code, message) = match error {
            DispatchError::Token(token) => (format!("token.{token:?}"), words(*token)),
            DispatchError::Arithmetic(kind) => (format!("arithmetic.{kind:?}"), words(*kind)),
            DispatchError::BadOrigin => {
                ("system.BadOrigin".into(), "This account may not do that.".into())
            }
            DispatchError::CannotLookup => {
                ("system.CannotLookup".into(), "The chain knows no account of that address.".into())
            }
            other => (format!("chain.{other:?}"), format!("The chain refuses it: {other:?}.")),
        };
        Fault { code, message }
    })
}

fn words(error: impl Into<&'static str>) -> String {
    format!("{}.", error.into())
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
        message: known.docs.join(" ").trim().to_string(),
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

    #[test]
    fn pallet_error_has_its_name_and_its_words() {
        let error = pallet_jobs::Error::<Runtime>::ContextExceeded.into();
        let fault = fault(&error);
        assert_eq!(fault.code, "jobs.ContextExceeded");
        assert!(fault.message.starts_with("Prompt and output exceed"), "{}", fault.message);
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
    fn unknown_address_is_in_words() {
        let fault = fault(&DispatchError::CannotLookup);
        assert_eq!(fault.code, "system.CannotLookup");
        assert!(fault.message.contains("no account"), "{}", fault.message);
    }

    #[test]
    fn unknown_module_error_is_still_told() {
        let error = DispatchError::Module(ModuleError { index: 99, error: [1; 4], message: None });
        assert!(fault(&error).message.contains("99"));
    }

    #[test]
    fn token_error_is_in_words() {
        let fault = fault(&sp_runtime::TokenError::FundsUnavailable.into());
        assert_eq!(fault.code, "token.FundsUnavailable");
        assert_eq!(fault.message, "Funds are unavailable.");
    }
}
