// SPDX-License-Identifier: Apache-2.0
//! Reports of workers, passed on to the pallets whose duties they belong to.

use crate::{
    pallet::{Config, Error, Event, FreeReports, Pallet},
    rotation::{duty_of_report, Scope},
    types::ReportsOf,
    weights::WeightInfo,
};
use assay_primitives::{traits::Duties, Report};
use frame_support::{
    dispatch::{DispatchResultWithPostInfo, Pays, PostDispatchInfo},
    ensure,
    storage::with_storage_layer,
    traits::Get,
    weights::Weight,
};
use sp_runtime::{DispatchResult, SaturatedConversion};

impl<T: Config> Pallet<T> {
    /// Returns the weight of an extrinsic with these reports.
    pub(crate) fn weight_of_reports(reports: &[Report]) -> Weight {
        reports
            .iter()
            .filter_map(T::Duties::weight_of)
            .fold(T::WeightInfo::report(reports.len().saturated_into()), Weight::saturating_add)
    }

    pub(crate) fn do_report(
        worker: T::AccountId,
        reports: ReportsOf<T>,
    ) -> DispatchResultWithPostInfo {
        let (stash, scope) = Self::operator_of(&worker).ok_or(Error::<T>::NotWorker)?;
        ensure!(!reports.is_empty(), Error::<T>::NoReports);
        let mut all_taken = true;
        for report in &reports {
            if let Err(error) = with_storage_layer(|| Self::take_report(&stash, scope, report)) {
                all_taken = false;
                Self::deposit_event(Event::ReportRefused {
                    operator: stash.clone(),
                    job: report.job(),
                    error,
                });
            }
        }
        let free = all_taken && Self::take_free(reports.len().saturated_into());
        let pays_fee = if free { Pays::No } else { Pays::Yes };
        Ok(PostDispatchInfo { actual_weight: None, pays_fee })
    }

    fn take_report(stash: &T::AccountId, scope: Scope, report: &Report) -> DispatchResult {
        let duty = duty_of_report(report);
        ensure!(Self::is_within(scope, stash, duty), Error::<T>::WorkerReplaced);
        T::Duties::handle(stash, report).ok_or(Error::<T>::ReportUnknown)?
    }

    /// Returns whether `count` more reports of this block can be free, and counts them if so.
    fn take_free(count: u32) -> bool {
        FreeReports::<T>::mutate(|free| {
            let sum = free.saturating_add(count);
            let fits = sum <= T::MaxFreeReports::get();
            if fits {
                *free = sum;
            }
            fits
        })
    }
}
