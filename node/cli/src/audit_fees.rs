// SPDX-License-Identifier: Apache-2.0
//! The fees of an audit that a client asks for.

use crate::{args::OrderArgs, chain::Chain};
use anyhow::Result;
use assay_primitives::{
    parameters::{JobParameters, Parameters},
    Balance, FeeTerms, JobSpec,
};
use assay_runtime::{AccountId, Runtime};
use pallet_jobs::Config;
use sp_core::Get;

/// The terms of the audit that an order asks for.
#[derive(Clone, Copy, Debug)]
pub struct AuditFees(Option<FeeTerms>);

impl AuditFees {
    /// No audit is asked for.
    pub const NONE: Self = Self(None);

    /// Returns the terms of the audit that these arguments ask for.
    pub async fn read(chain: &Chain, args: &OrderArgs) -> Result<Self> {
        if !args.audit {
            return Ok(Self::NONE);
        }
        let parameters: Parameters = chain.call("AssayApi_parameters", ()).await?;
        Ok(Self(Some(terms(&parameters.jobs))))
    }

    /// Returns the terms of the audit that a job asks for.
    pub fn of(spec: &JobSpec<AccountId>, parameters: &JobParameters) -> Self {
        Self(spec.audit.then(|| terms(parameters)))
    }

    /// Returns the most that the committee of a job costs whose output costs at most `cost`: so much the
    /// chain puts on hold.
    pub fn most(self, input_tokens: u32, max_tokens: u32, cost: Balance) -> Balance {
        let members: u32 = <Runtime as Config>::CommitteeSize::get();
        self.0.map_or(0, |terms| {
            terms.fee(input_tokens, max_tokens, cost).saturating_mul(members.into())
        })
    }
}

fn terms(parameters: &JobParameters) -> FeeTerms {
    FeeTerms { share: parameters.verifier_share, least: parameters.verification_price }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_runtime::Permill;

    #[test]
    fn audit_costs_three_fees_and_nothing_where_none_is_asked_for() {
        let terms = FeeTerms { share: Permill::from_percent(3), least: 10 };
        let fees = AuditFees(Some(terms));
        assert_eq!(fees.most(4, 6, 1_000), 3 * 100, "the least for ten tokens");
        assert_eq!(fees.most(4, 6, 100_000), 3 * 3_000, "a part of the cost");
        assert_eq!(AuditFees::NONE.most(4, 6, 100_000), 0);
    }
}
