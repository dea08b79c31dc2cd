// SPDX-License-Identifier: Apache-2.0
//! The check of the set that results from changes.

use crate::{ChangeOf, ChangesOf, Config, Error, Event, Pallet, LOG_TARGET};
use alloc::vec::Vec;
use assay_primitives::parameters::Violation;
use frame_support::{
    dispatch::DispatchResult,
    storage::{with_storage_layer, with_transaction_unchecked},
    Parameter,
};
use sp_runtime::{DispatchError, TransactionOutcome};

/// The parameters of a runtime.
pub trait CheckedParameters {
    /// A change of one parameter.
    type Change: Parameter;

    /// Makes a change without any check.
    fn set(change: Self::Change);
    /// Returns each range and each inequality that the stored parameters violate.
    fn violations() -> Vec<Violation>;
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set(changes: ChangesOf<T>) -> DispatchResult {
        with_storage_layer(|| {
            Self::change(changes.clone()).map_err(|violation| -> DispatchError {
                log::warn!(target: LOG_TARGET, "changes of parameters are refused: {violation:?}");
                Error::<T>::from(violation).into()
            })
        })?;
        Self::deposit_event(Event::ParametersSet { changes });
        Ok(())
    }

    /// Returns what [`Pallet::set`] would refuse the changes for. Changes nothing.
    pub fn check(changes: Vec<ChangeOf<T>>) -> Result<(), Violation> {
        with_transaction_unchecked(|| TransactionOutcome::Rollback(Self::change(changes)))
    }

    /// Makes the changes; after an error the caller rolls them back.
    fn change(changes: impl IntoIterator<Item = ChangeOf<T>>) -> Result<(), Violation> {
        let before = T::Parameters::violations();
        changes.into_iter().for_each(T::Parameters::set);
        let new = |violation: &Violation| !before.contains(violation);
        match T::Parameters::violations().into_iter().find(new) {
            Some(violation) => Err(violation),
            None => Ok(()),
        }
    }
}

impl<T> From<Violation> for Error<T> {
    fn from(violation: Violation) -> Self {
        match violation {
            Violation::OutOfRange { .. } => Self::ParameterOutOfRange,
            Violation::LyingPays { .. } => Self::LyingPays,
            Violation::CapturePays { .. } => Self::CapturePays,
            Violation::UnbondingTooShort { .. } => Self::UnbondingTooShort,
            Violation::ChallengeWindowTooShort { .. } => Self::ChallengeWindowTooShort,
        }
    }
}
