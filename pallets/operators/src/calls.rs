// SPDX-License-Identifier: Apache-2.0
//! The pallet's calls.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod calls {
    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Makes the caller an operator.
        ///
        /// ## Dispatch Origin
        /// Signed by the stash.
        ///
        /// ## Details
        /// `bond` is put on hold. An operator without offers runs no jobs and can still author
        /// blocks.
        ///
        /// ### Parameters
        /// - `worker`: the account that signs reports; neither a stash nor another operator's
        ///   worker.
        /// - `contact`: the contact of its node, signed by the node's network key: see
        ///   [`Pallet::set_contact`].
        /// - `offers`: the models served.
        /// - `concurrency`: the number of jobs that it runs at a time.
        /// - `bond`: its stake, at least [`Config::MinBond`].
        ///
        /// ## Errors
        /// [`Error::AlreadyOperator`], [`Error::OperatorsFull`], [`Error::DelegationsLeft`],
        /// [`Error::WorkerTaken`], [`Error::WorkerIsStash`], [`Error::DuplicateOffer`],
        /// [`Error::PriceZero`], [`Error::ContextZero`], [`Error::ConcurrencyZero`],
        /// [`Error::ConcurrencyTooHigh`], [`Error::BondBelowMinimum`], [`Error::PeerIdMalformed`],
        /// [`Error::AddressEmpty`], [`Error::ContactSignatureWrong`], [`Error::BalanceTooLow`].
        ///
        /// ## Events
        /// - [`Event::Registered`]
        /// - [`Event::ContactSet`]
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register(offers.len().saturated_into()).saturating_add(T::Listener::weight()))]
        pub fn register(
            origin: OriginFor<T>,
            worker: T::AccountId,
            contact: SignedContact,
            offers: OffersOf<T>,
            concurrency: u32,
            bond: Balance,
        ) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_register(stash, worker, Some(contact), offers, concurrency, bond)
        }

        /// Adds to the caller's stake.
        ///
        /// ## Dispatch Origin
        /// Signed by the stash.
        ///
        /// ### Parameters
        /// - `amount`: the additional amount to put on hold.
        ///
        /// ## Errors
        /// [`Error::NotOperator`], [`Error::AmountZero`], [`Error::BalanceTooLow`],
        /// [`Error::BondBelowMinimum`] if the bonded stake would still be below the minimum, and
        /// [`Error::DelegationsAboveCap`] if it was below, and the delegations exceed the limit of
        /// the new bonded stake.
        ///
        /// ## Events
        /// - [`Event::Bonded`]
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::bond_extra().saturating_add(T::Listener::weight()))]
        pub fn bond_extra(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_bond_extra(stash, amount)
        }

        /// Begins to unbond a part of the caller's stake.
        ///
        /// ## Dispatch Origin
        /// Signed by the stash.
        ///
        /// ## Details
        /// The amount no longer counts as stake, and can be withdrawn after
        /// [`Config::UnbondingPeriod`] blocks. Until then it can be slashed. Amounts that are
        /// unbonded in the same block are merged.
        ///
        /// ### Parameters
        /// - `amount`: at most the stake that no duty reserves. The rest is zero, or at least
        ///   [`Config::MinBond`] and enough for the delegations.
        ///
        /// ## Errors
        /// [`Error::NotOperator`], [`Error::AmountZero`], [`Error::StakeReserved`],
        /// [`Error::StakeTooLow`], [`Error::BondBelowMinimum`], [`Error::DelegationsAboveCap`],
        /// [`Error::UnbondingQueueFull`].
        ///
        /// ## Events
        /// - [`Event::Unbonded`]
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::unbond().saturating_add(T::Listener::weight()))]
        pub fn unbond(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_unbond(stash, amount)
        }

        /// Withdraws all of an operator's own stake that is unbonded and due.
        ///
        /// ## Dispatch Origin
        /// Signed by anyone.
        ///
        /// ## Details
        /// The money goes to the stash. The operator and its worker are removed once it has no
        /// stake that is bonded or being unbonded, no duty and no pending slash. Its delegators
        /// can then withdraw everything at once.
        ///
        /// ### Parameters
        /// - `stash`: the operator's stash.
        ///
        /// ## Errors
        /// [`Error::NotOperator`], [`Error::NothingToWithdraw`], [`Error::SlashPending`],
        /// [`Error::StakeReserved`] if duties reserve the stake that would be withdrawn.
        ///
        /// ## Events
        /// - [`Event::Withdrawn`]
        /// - [`Event::Removed`]
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::withdraw_unbonded().saturating_add(T::Listener::weight()))]
        pub fn withdraw_unbonded(origin: OriginFor<T>, stash: T::AccountId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_withdraw_unbonded(stash)
        }

        /// Replaces the models that the caller serves.
        ///
        /// ## Dispatch Origin
        /// Signed by the stash.
        ///
        /// ## Details
        /// Jobs that are already assigned keep their price. Without offers the caller is
        /// not drawn for any job.
        ///
        /// ### Parameters
        /// - `offers`: the models served from now on.
        ///
        /// ## Errors
        /// [`Error::NotOperator`], [`Error::DuplicateOffer`], [`Error::PriceZero`],
        /// [`Error::ContextZero`].
        ///
        /// ## Events
        /// - [`Event::OffersSet`]
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::set_offers(offers.len().saturated_into()).saturating_add(T::Listener::weight()))]
        pub fn set_offers(origin: OriginFor<T>, offers: OffersOf<T>) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_set_offers(stash, offers)
        }

        /// Replaces the caller's worker key.
        ///
        /// ## Dispatch Origin
        /// Signed by the stash.
        ///
        /// ## Details
        /// Duties stay with the operator: the new worker can report on all of them. The previous one
        /// can still report on those that are open now, because its node holds the outputs and salts
        /// that they need. That ends with the last of them, after [`Config::RetirementPeriod`] blocks,
        /// or with [`Pallet::retire_worker`].
        ///
        /// ### Parameters
        /// - `worker`: the account that signs reports from now on.
        ///
        /// ## Errors
        /// [`Error::NotOperator`], [`Error::WorkerTaken`], [`Error::WorkerIsStash`],
        /// [`Error::WorkerRetiring`] while the worker before the current one can still report.
        ///
        /// ## Events
        /// - [`Event::WorkerSet`]
        /// - [`Event::WorkerRetiring`] if duties are open.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::set_worker())]
        pub fn set_worker(origin: OriginFor<T>, worker: T::AccountId) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_set_worker(stash, worker)
        }

        /// Reports on the duties of the operator whose worker the caller is, or was when they began.
        ///
        /// ## Dispatch Origin
        /// Signed by the worker.
        ///
        /// ## Details
        /// Each report is handled alone: a refused report changes nothing and does not keep the
        /// others from being taken. After [`Config::MaxRefusedReports`] refused reports of an operator in a
        /// block, the runtime admits no more of its extrinsics with reports to that block. The extrinsic
        /// pays no fee if all its reports are taken and the
        /// block has at most [`Config::MaxFreeReports`] free reports including them.
        ///
        /// ### Parameters
        /// - `reports`: the reports, taken in this order.
        ///
        /// ## Errors
        /// [`Error::NotWorker`], [`Error::NoReports`].
        ///
        /// ## Events
        /// - [`Event::ReportRefused`] for each refused report, with [`Error::ReportUnknown`] where
        ///   no pallet handles it, and [`Error::WorkerReplaced`] where the caller was replaced before
        ///   the duty began, in addition to the events of the pallets that take the others.
        #[pallet::call_index(6)]
        #[pallet::weight((Pallet::<T>::weight_of_reports(reports), DispatchClass::Operational))]
        pub fn report(
            origin: OriginFor<T>,
            reports: BoundedVec<Report, T::MaxReports>,
        ) -> DispatchResultWithPostInfo {
            let worker = ensure_signed(origin)?;
            Self::do_report(worker, reports)
        }

        /// Changes the number of jobs that the caller runs at a time.
        ///
        /// ## Dispatch Origin
        /// Signed by the stash.
        ///
        /// ## Details
        /// Running jobs are not affected, even if there are more of them.
        ///
        /// ### Parameters
        /// - `concurrency`: the new number, from 1 to [`Config::MaxConcurrency`].
        ///
        /// ## Errors
        /// [`Error::NotOperator`], [`Error::ConcurrencyZero`], [`Error::ConcurrencyTooHigh`].
        ///
        /// ## Events
        /// - [`Event::ConcurrencySet`]
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::set_concurrency())]
        pub fn set_concurrency(origin: OriginFor<T>, concurrency: u32) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_set_concurrency(stash, concurrency)
        }

        /// Begins to leave: the caller takes no new duties, and all of its own stake is unbonded.
        ///
        /// ## Dispatch Origin
        /// Signed by the stash.
        ///
        /// ## Details
        /// The caller finishes its existing duties, and their reservations stay at stake until
        /// then. If [`Config::MaxUnbonding`] amounts are already being unbonded, the last one is
        /// merged into this one.
        ///
        /// ## Errors
        /// [`Error::NotOperator`], [`Error::StakeTooLow`] if nothing is bonded.
        ///
        /// ## Events
        /// - [`Event::DrainingSet`]
        /// - [`Event::Unbonded`]
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::leave().saturating_add(T::Listener::weight()))]
        pub fn leave(origin: OriginFor<T>) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_leave(stash)
        }

        /// Sets whether the caller is draining: it then takes no new duties and no new delegations.
        ///
        /// ## Dispatch Origin
        /// Signed by the stash.
        ///
        /// ### Parameters
        /// - `draining`: whether it takes none of them.
        ///
        /// ## Errors
        /// [`Error::NotOperator`].
        ///
        /// ## Events
        /// - [`Event::DrainingSet`]
        #[pallet::call_index(9)]
        #[pallet::weight(T::WeightInfo::set_draining().saturating_add(T::Listener::weight()))]
        pub fn set_draining(origin: OriginFor<T>, draining: bool) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_set_draining(stash, draining)
        }

        /// Sets the account that receives the caller's pay.
        ///
        /// ## Dispatch Origin
        /// Signed by the stash.
        ///
        /// ## Details
        /// Pay that the account cannot receive goes to the stash.
        ///
        /// ### Parameters
        /// - `payout`: the new payout account.
        ///
        /// ## Errors
        /// [`Error::NotOperator`].
        ///
        /// ## Events
        /// - [`Event::PayoutSet`]
        #[pallet::call_index(10)]
        #[pallet::weight(T::WeightInfo::set_payout())]
        pub fn set_payout(origin: OriginFor<T>, payout: T::AccountId) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_set_payout(stash, payout)
        }

        /// Sets the fraction of the pay that the caller keeps before it is shared with its
        /// delegators.
        ///
        /// ## Dispatch Origin
        /// Signed by the stash.
        ///
        /// ## Details
        /// A lower commission applies at once. A higher one applies after
        /// [`Config::UnbondingPeriod`] blocks, in which delegators can leave, or at once if there
        /// are none. Another call before that replaces it.
        ///
        /// ### Parameters
        /// - `commission`: at most [`Config::MaxCommissionRaise`] more than it is now.
        ///
        /// ## Errors
        /// [`Error::NotOperator`], [`Error::CommissionRaiseTooHigh`].
        ///
        /// ## Events
        /// - [`Event::CommissionSet`]
        #[pallet::call_index(11)]
        #[pallet::weight(T::WeightInfo::set_commission())]
        pub fn set_commission(origin: OriginFor<T>, commission: Perbill) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_set_commission(stash, commission)
        }

        /// Sets the contact of the caller's node.
        ///
        /// ## Dispatch Origin
        /// Signed by the stash.
        ///
        /// ### Parameters
        /// - `contact`: the peer id of an ed25519 network key, addresses, and that key's signature
        ///   of [`Contact::message`] for this chain and the stash.
        ///
        /// ## Errors
        /// [`Error::NotOperator`], [`Error::PeerIdMalformed`], [`Error::AddressEmpty`],
        /// [`Error::ContactSignatureWrong`].
        ///
        /// ## Events
        /// - [`Event::ContactSet`]
        #[pallet::call_index(12)]
        #[pallet::weight(T::WeightInfo::set_contact())]
        pub fn set_contact(origin: OriginFor<T>, contact: SignedContact) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_set_contact(stash, contact)
        }

        /// Delegates to an operator.
        ///
        /// ## Dispatch Origin
        /// Signed by the delegator.
        ///
        /// ## Details
        /// The amount moves to the vault and buys shares of the operator's active pool.
        ///
        /// ### Parameters
        /// - `operator`: the operator's stash.
        /// - `amount`: the amount; with the caller's existing delegation to the operator, at least
        ///   [`Config::MinDelegation`].
        ///
        /// ## Errors
        /// [`Error::SelfDelegation`], [`Error::AmountZero`], [`Error::NotOperator`],
        /// [`Error::OperatorDraining`], [`Error::SlashPending`], [`Error::BondBelowMinimum`] if the
        /// operator's own stake is too low, [`Error::DelegationBelowMinimum`],
        /// [`Error::DelegationsAboveCap`], [`Error::BalanceTooLow`],
        /// [`Error::SharePriceOutOfRange`].
        ///
        /// ## Events
        /// - [`Event::Delegated`]
        #[pallet::call_index(13)]
        #[pallet::weight(T::WeightInfo::delegate().saturating_add(T::Listener::weight()))]
        pub fn delegate(
            origin: OriginFor<T>,
            operator: T::AccountId,
            amount: Balance,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_delegate(who, operator, amount)
        }

        /// Begins to take back a delegation to an operator.
        ///
        /// ## Dispatch Origin
        /// Signed by the delegator.
        ///
        /// ## Details
        /// The amount no longer shares in any pay, and can be withdrawn after
        /// [`Config::UnbondingPeriod`] blocks. Until it is withdrawn it can be slashed. Amounts that
        /// are taken back in the same block are merged.
        ///
        /// ### Parameters
        /// - `operator`: the operator's stash.
        /// - `amount`: the worth to take back; a higher amount takes back everything. The rest is
        ///   zero, or at least [`Config::MinDelegation`].
        ///
        /// ## Errors
        /// [`Error::AmountZero`], [`Error::NotOperator`], [`Error::NotDelegator`],
        /// [`Error::DelegationBelowMinimum`], [`Error::UnbondingQueueFull`], and
        /// [`Error::SharePriceOutOfRange`] if nearly everything that others are taking back was
        /// slashed, until they have withdrawn it.
        ///
        /// ## Events
        /// - [`Event::Undelegated`]
        #[pallet::call_index(14)]
        #[pallet::weight(T::WeightInfo::undelegate().saturating_add(T::Listener::weight()))]
        pub fn undelegate(
            origin: OriginFor<T>,
            operator: T::AccountId,
            amount: Balance,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_undelegate(who, operator, amount)
        }

        /// Withdraws the amounts that a delegator has taken back and that are due; everything if
        /// the operator is gone.
        ///
        /// ## Dispatch Origin
        /// Signed by anyone.
        ///
        /// ## Details
        /// The money goes to the delegator. A delegation that is worth nothing is removed.
        ///
        /// ### Parameters
        /// - `operator`: the operator's stash.
        /// - `delegator`: the account that delegated.
        ///
        /// ## Errors
        /// [`Error::NotDelegator`], [`Error::NothingToWithdraw`], [`Error::SlashPending`], and an
        /// error of the currency if the delegator's account cannot receive the amount.
        ///
        /// ## Events
        /// - [`Event::DelegationWithdrawn`]
        #[pallet::call_index(15)]
        #[pallet::weight(T::WeightInfo::withdraw_delegation())]
        pub fn withdraw_delegation(
            origin: OriginFor<T>,
            operator: T::AccountId,
            delegator: T::AccountId,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_withdraw_delegation(operator, delegator)
        }

        /// Applies a slash whose delay is over.
        ///
        /// ## Dispatch Origin
        /// Signed by anyone. Blocks with weight to spare also do it in `on_idle`.
        ///
        /// ### Parameters
        /// - `slash`: the slash's number.
        ///
        /// ## Errors
        /// [`Error::SlashUnknown`], [`Error::SlashNotDue`], and [`Error::StakeReserved`] while
        /// duties reserve the stake that it takes.
        ///
        /// ## Events
        /// - [`Event::Slashed`]
        #[pallet::call_index(16)]
        #[pallet::weight(T::WeightInfo::apply_slash().saturating_add(T::Listener::weight()))]
        pub fn apply_slash(origin: OriginFor<T>, slash: SlashId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_apply_slash(slash)
        }

        /// Cancels a slash that is not yet applied.
        ///
        /// ## Dispatch Origin
        /// [`Config::SlashCancelOrigin`].
        ///
        /// ### Parameters
        /// - `slash`: the slash's number.
        ///
        /// ## Errors
        /// [`Error::SlashUnknown`].
        ///
        /// ## Events
        /// - [`Event::SlashCancelled`]
        #[pallet::call_index(17)]
        #[pallet::weight(T::WeightInfo::cancel_slash())]
        pub fn cancel_slash(origin: OriginFor<T>, slash: SlashId) -> DispatchResult {
            T::SlashCancelOrigin::ensure_origin(origin)?;
            Self::do_cancel_slash(slash)
        }

        /// Updates an operator's place in the ranking for elections and its weight in the routing
        /// of jobs, after pay and duties have changed its stake.
        ///
        /// ## Dispatch Origin
        /// Signed by anyone.
        ///
        /// ### Parameters
        /// - `operator`: the operator's stash.
        ///
        /// ## Errors
        /// [`Error::NotOperator`].
        #[pallet::call_index(18)]
        #[pallet::weight(T::WeightInfo::rank_operator().saturating_add(T::Listener::weight()))]
        pub fn rank_operator(origin: OriginFor<T>, operator: T::AccountId) -> DispatchResult {
            ensure_signed(origin)?;
            let record = Operators::<T>::get(&operator).ok_or(Error::<T>::NotOperator)?;
            Self::tell_stake(&operator, Some(&record));
            Ok(())
        }

        /// Ends the time in which the caller's previous worker can report.
        ///
        /// ## Dispatch Origin
        /// Signed by the stash.
        ///
        /// ## Details
        /// This is for a worker key that was stolen. Duties whose outputs or salts only the node of the
        /// previous worker holds may be fined, unless that node also has the current key.
        ///
        /// ## Errors
        /// [`Error::NotOperator`], [`Error::NoRetiringWorker`].
        ///
        /// ## Events
        /// - [`Event::WorkerRetired`]
        #[pallet::call_index(19)]
        #[pallet::weight(T::WeightInfo::retire_worker())]
        pub fn retire_worker(origin: OriginFor<T>) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_retire_worker(stash)
        }

        /// Takes no more jobs of a client.
        ///
        /// ## Dispatch Origin
        /// Signed by the stash.
        ///
        /// ## Details
        /// Jobs that are already assigned are not affected.
        ///
        /// ### Parameters
        /// - `client`: the client.
        ///
        /// ## Errors
        /// [`Error::NotOperator`], [`Error::AlreadyRefused`], [`Error::TooManyRefused`].
        ///
        /// ## Events
        /// - [`Event::ClientRefused`]
        #[pallet::call_index(20)]
        #[pallet::weight(T::WeightInfo::refuse_client())]
        pub fn refuse_client(origin: OriginFor<T>, client: T::AccountId) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_refuse_client(stash, client)
        }

        /// Takes jobs of a client again.
        ///
        /// ## Dispatch Origin
        /// Signed by the stash.
        ///
        /// ### Parameters
        /// - `client`: the client.
        ///
        /// ## Errors
        /// [`Error::NotRefused`].
        ///
        /// ## Events
        /// - [`Event::ClientAdmitted`]
        #[pallet::call_index(21)]
        #[pallet::weight(T::WeightInfo::admit_client())]
        pub fn admit_client(origin: OriginFor<T>, client: T::AccountId) -> DispatchResult {
            let stash = ensure_signed(origin)?;
            Self::do_admit_client(stash, client)
        }
    }
}
