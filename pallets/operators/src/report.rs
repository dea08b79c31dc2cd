// SPDX-License-Identifier: Apache-2.0
//! Reports of workers, passed on to the pallets whose duties they belong to.

use crate::{
    pallet::{Config, Error, Event, FreeReports, Pallet, RefusedReports},
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
        let (mut refused, mut spared) = (0u32, Weight::zero());
        for report in &reports {
            spared = spared.saturating_add(T::Duties::spared(report));
            if let Err(error) = with_storage_layer(|| Self::take_report(&stash, scope, report)) {
                refused = refused.saturating_add(1);
                Self::deposit_event(Event::ReportRefused {
                    operator: stash.clone(),
                    job: report.job(),
                    error,
                });
            }
        }
        if refused > 0 {
            let refused = Self::refused_in_this_block(&stash).saturating_add(refused);
            RefusedReports::<T>::insert(&stash, (Self::now(), refused));
        }
        let free = refused == 0 && Self::take_free(reports.len().saturated_into());
        let pays_fee = if free { Pays::No } else { Pays::Yes };
        let actual_weight = Some(Self::weight_of_reports(&reports).saturating_sub(spared));
        Ok(PostDispatchInfo { actual_weight, pays_fee })
    }

    /// Returns whether a worker of the operator can still report in this block: not if too many reports for
    /// that operator were refused in it. Otherwise reports that fail could fill the room for those of other
    /// workers.
    pub fn can_report(stash: &T::AccountId) -> bool {
        Self::refused_in_this_block(stash) < T::MaxRefusedReports::get()
    }

    /// Returns the number of refused reports for the operator in this block.
    fn refused_in_this_block(stash: &T::AccountId) -> u32 {
        match RefusedReports::<T>::get(stash) {
            Some((block, refused)) if block == Self::now() => refused,
            _ => 0,
        }
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
