// SPDX-License-Identifier: Apache-2.0
//! A delegation to an operator.

use super::format::planck;
use crate::amount::Amount;
use assay_primitives::api::DelegationView;
use assay_runtime::AccountId;
use serde_json::{json, Value};

/// Returns a delegation as JSON.
pub fn json(delegation: &DelegationView<AccountId>) -> Value {
    json!({
        "operator": delegation.operator.to_string(),
        "operatorGone": delegation.operator_gone,
        "worth": planck(delegation.worth),
        "worthAsy": Amount(delegation.worth).decimal(),
        "unbonding": delegation.unbonding.iter().map(|(amount, at)| json!({
            "amount": planck(*amount),
            "amountAsy": Amount(*amount).decimal(),
            "block": at,
        })).collect::<Vec<_>>(),
    })
}

/// Returns a delegation as rows for a person.
pub fn rows(delegation: &DelegationView<AccountId>) -> Vec<(&'static str, String)> {
    let mut rows = vec![("Operator", delegation.operator.to_string())];
    if delegation.operator_gone {
        rows.push(("", "is gone: the whole delegation can be withdrawn now".into()));
    }
    rows.push(("Worth", Amount(delegation.worth).to_string()));
    for (amount, at) in &delegation.unbonding {
        rows.push(("Taken back", format!("{} until block {at}", Amount(*amount))));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_runtime::UNIT;
    use sp_keyring::Sr25519Keyring;

    fn delegation(operator_gone: bool) -> DelegationView<AccountId> {
        DelegationView {
            operator: Sr25519Keyring::Alice.to_account_id(),
            worth: 3 * UNIT / 2,
            unbonding: vec![(UNIT, 77)],
            operator_gone,
        }
    }

    #[test]
    fn json_has_amounts_in_planck_and_in_asy() {
        let json = json(&delegation(false));
        assert_eq!(json["worth"], "1500000000000");
        assert_eq!(json["worthAsy"], "1.5");
        assert_eq!(json["unbonding"][0]["amountAsy"], "1");
        assert_eq!(json["unbonding"][0]["block"], 77);
        assert_eq!(json["operatorGone"], false);
    }

    #[test]
    fn rows_say_that_the_operator_is_gone() {
        let said = |gone| rows(&delegation(gone)).iter().any(|(_, text)| text.contains("gone"));
        assert!(said(true) && !said(false));
        assert!(rows(&delegation(false)).contains(&("Taken back", "1 ASY until block 77".into())));
    }
}
