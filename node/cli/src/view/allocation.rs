// SPDX-License-Identifier: Apache-2.0
//! An operator's part of a model's jobs, and the reasons for it.

use super::format::percent;
use assay_primitives::api::Allocation;
use assay_runtime::AccountId;
use serde_json::{json, Value};

/// Returns an allocation as JSON. Parts and weights are in percent.
pub fn json(allocation: &Allocation<AccountId>) -> Value {
    json!({
        "operator": allocation.operator.to_string(),
        "drawable": allocation.drawable,
        "drawPercent": percent(allocation.draw_share),
        "score": allocation.score,
        "uptimePercent": percent(allocation.uptime),
        "tokensPerSecond": tokens_per_second(allocation.speed),
        "speedPercent": percent(allocation.speed_share),
        "stakePercent": percent(allocation.stake_share),
        "weights": {
            "uptimePercent": percent(allocation.uptime_weight),
            "speedPercent": percent(allocation.speed_weight),
            "stakePercent": percent(allocation.stake_weight),
        },
        "assigned": allocation.assigned,
        "cap": allocation.cap,
    })
}

/// Returns an allocation as rows for a person.
pub fn rows(allocation: &Allocation<AccountId>) -> Vec<(&'static str, String)> {
    let weighted = |part: u64, weight: u64| {
        format!("{} % of the total, with weight {} %", rounded(part), rounded(weight))
    };
    let uptime = match allocation.uptime_weight {
        0 => format!("{} %, which scales the rest", rounded(allocation.uptime)),
        weight => format!("{} %, with weight {} %", rounded(allocation.uptime), rounded(weight)),
    };
    let speed = match allocation.speed {
        0 => "not measured yet".to_string(),
        speed => format!(
            "{} tokens/s; backed by stake, {}",
            tokens_per_second(speed),
            weighted(allocation.speed_share, allocation.speed_weight)
        ),
    };
    let mut rows = vec![
        ("Operator", allocation.operator.to_string()),
        ("Wins", format!("{} % of the draws", rounded(allocation.draw_share))),
        ("Uptime", uptime),
        ("Speed", speed),
        ("Stake", weighted(allocation.stake_share, allocation.stake_weight)),
        ("This epoch", format!("{} jobs of at most {}", allocation.assigned, allocation.cap)),
    ];
    if !allocation.drawable {
        let why = "draining, too little stake, or no heartbeat";
        rows.insert(1, ("Not drawn", why.to_string()));
    }
    rows
}

/// Formats thousandths of a token per second.
fn tokens_per_second(speed: u64) -> String {
    format!("{}.{:03}", speed / 1_000, speed % 1_000)
}

/// Formats billionths as percent with one decimal place.
fn rounded(billionths: u64) -> String {
    let tenths = billionths.saturating_add(500_000) / 1_000_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_keyring::Sr25519Keyring;

    fn allocation() -> Allocation<AccountId> {
        Allocation {
            operator: Sr25519Keyring::Alice.to_account_id(),
            drawable: true,
            uptime: 987_654_321,
            speed: 12_345,
            speed_share: 250_000_000,
            stake_share: 125_000_000,
            uptime_weight: 0,
            speed_weight: 600_000_000,
            stake_weight: 400_000_000,
            score: 7,
            draw_share: 200_049_999,
            assigned: 3,
            cap: 20,
        }
    }

    #[test]
    fn json_has_parts_in_percent() {
        let json = json(&allocation());
        assert_eq!(json["uptimePercent"], "98.7654321");
        assert_eq!(json["tokensPerSecond"], "12.345");
        assert_eq!(json["weights"]["speedPercent"], "60");
        assert_eq!(json["drawPercent"], "20.0049999");
        assert_eq!((json["assigned"].as_u64(), json["cap"].as_u64()), (Some(3), Some(20)));
    }

    #[test]
    fn rows_name_every_factor() {
        let said = format!("{:?}", rows(&allocation()));
        for part in [
            "20.0 % of the draws",
            "98.8 %, which scales",
            "12.345 tokens/s",
            "12.5 % of the total",
            "40.0 %",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
        assert!(!said.contains("Not drawn"));
    }

    #[test]
    fn rows_name_missing_factors() {
        let allocation =
            Allocation { drawable: false, speed: 0, uptime_weight: 300_000_000, ..allocation() };
        let said = format!("{:?}", rows(&allocation));
        for part in ["Not drawn", "not measured yet", "with weight 30.0 %"] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
}
