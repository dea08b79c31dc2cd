// SPDX-License-Identifier: Apache-2.0
//! Epochs, and the records of operators and of models.

use crate::{
    contexts::Contexts,
    fixed::Billionths,
    measure::{Conduct, Pace, Work},
    pallet::Config,
    score::{Factors, Params, Terms},
};
use assay_primitives::{
    traits::{Offered, Standing},
    Balance, BlockNumber, ModelId, Prices,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    pallet_prelude::{CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound},
    traits::Get,
    BoundedVec,
};
use scale_info::TypeInfo;
use sp_core::H256;

/// One of the two trees of scores of a model. The draws of an epoch use one; the other is filled
/// for the next epoch.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub enum Buffer {
    /// The tree of epochs with an even number.
    #[codec(index = 0)]
    Even,
    /// The tree of epochs with an odd number.
    #[codec(index = 1)]
    Odd,
}

impl Buffer {
    /// Both buffers.
    pub const ALL: [Self; 2] = [Self::Even, Self::Odd];

    /// Returns the buffer of an epoch.
    pub fn of(epoch: u32) -> Self {
        if epoch.is_multiple_of(2) {
            Self::Even
        } else {
            Self::Odd
        }
    }

    /// Returns the buffer of the previous and the next epoch.
    pub fn other(self) -> Self {
        match self {
            Self::Even => Self::Odd,
            Self::Odd => Self::Even,
        }
    }
}

/// The kind of a model's tree.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub enum Kind {
    /// Stakes as fractions of the cap, by which committees are drawn.
    #[codec(index = 0)]
    Stakes,
    /// Scores, by which operators of jobs are drawn.
    #[codec(index = 1)]
    Scores(Buffer),
}

/// An epoch. Every operator has a turn in it to send a heartbeat. When the operator's time for that
/// is over, it is visited: its records since the last visit are closed, and its scores for the next
/// epoch are computed.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct Epoch {
    /// The epoch's number; 0 is the time before the first block.
    pub index: u32,
    /// The epoch's first block.
    pub started: BlockNumber,
    /// The earliest block in which the next epoch begins.
    pub ends: BlockNumber,
    /// The number of slots that have a turn: those that existed when the epoch began.
    pub slots: u32,
    /// The number of slots that have their turn in the same block.
    pub pace: u32,
    /// The number of slots visited.
    pub visited: u32,
    /// The challenge that heartbeats answer.
    pub challenge: H256,
}

impl Epoch {
    /// Returns the block of a slot's turn, the first that its heartbeat can name; `None` for slots
    /// that have no turn in this epoch.
    pub fn turn(&self, slot: u32) -> Option<BlockNumber> {
        if slot >= self.slots {
            return None;
        }
        Some(self.started.saturating_add(slot.checked_div(self.pace)?))
    }

    /// Returns the number of slots to be visited by block `now`: those whose turn is more than
    /// `window` blocks past.
    pub fn due(&self, now: BlockNumber, window: BlockNumber) -> u32 {
        let turns = now.saturating_sub(self.started).saturating_sub(window);
        turns.saturating_mul(self.pace).min(self.slots)
    }
}

/// A place in the trees. An operator has the same place in all of them.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum Slot<AccountId> {
    /// A place that an operator has.
    #[codec(index = 0)]
    Taken(AccountId),
    /// A free place.
    #[codec(index = 1)]
    Free {
        /// The next free place in the list.
        next: Option<u32>,
    },
}

/// A count that starts again with each epoch.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct EpochCount {
    epoch: u32,
    count: u32,
}

impl EpochCount {
    /// Returns the count in that epoch.
    pub fn of(&self, epoch: u32) -> u32 {
        if self.epoch == epoch {
            self.count
        } else {
            0
        }
    }

    /// Counts one more in that epoch.
    pub fn add(&mut self, epoch: u32) {
        *self = Self { epoch, count: self.of(epoch).saturating_add(1) };
    }
}

/// A model that an operator serves.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct Served {
    /// The model.
    pub model: ModelId,
    /// The operator's longest context with the model in tokens.
    pub context: u32,
    /// The operator's prices with the model.
    pub prices: Prices,
    /// The operator's speed with the model.
    pub pace: Pace,
    /// The operator's deliveries since its last visit.
    pub work: Work,
    /// The number of jobs assigned in the epoch. If the operator took the model up in this epoch,
    /// it includes the earlier jobs of all models, so that dropping a model and taking it up again
    /// gains nothing.
    pub assigned: EpochCount,
}

/// An operator's record.
#[derive(
    CloneNoBound,
    PartialEqNoBound,
    EqNoBound,
    DebugNoBound,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
#[scale_info(skip_type_params(MaxModels))]
#[codec(mel_bound())]
pub struct Member<MaxModels: Get<u32>> {
    /// The operator's place in the trees.
    pub slot: u32,
    /// The operator's stake.
    pub stake: Balance,
    /// What of it counts in the stake of all operators, as a fraction of the cap.
    pub counted: Billionths,
    /// Whether the operator takes new duties.
    pub active: bool,
    /// Whether the operator has fallen silent, in which case it is not drawn until it answers.
    pub silent: bool,
    /// The operator's uptime, smoothed over epochs.
    pub uptime: Billionths,
    /// The requests to the operator since its last visit.
    pub conduct: Conduct,
    /// The number of requests in a row that the operator has not answered.
    pub misses: u32,
    /// The block in which the operator last answered.
    pub answered_at: BlockNumber,
    /// The first epoch whose heartbeat is neither answered nor counted as missed.
    pub owes: u32,
    /// The number of jobs of all models assigned in the epoch, including models that the operator
    /// no longer serves.
    pub given: EpochCount,
    /// The models that the operator serves.
    pub served: BoundedVec<Served, MaxModels>,
}

impl<MaxModels: Get<u32>> Member<MaxModels> {
    /// Returns the operator's record with a model.
    pub fn of(&self, model: &ModelId) -> Option<&Served> {
        self.served.iter().find(|served| served.model == *model)
    }

    /// Returns the operator's record with a model, to be changed.
    pub fn of_mut(&mut self, model: &ModelId) -> Option<&mut Served> {
        self.served.iter_mut().find(|served| served.model == *model)
    }

    /// Returns whether the record agrees with the standing, whatever the stake.
    pub fn serves_as(&self, standing: &Standing) -> bool {
        let has = |offered: &Offered| {
            self.of(&offered.model).is_some_and(|served| served.context == offered.context)
        };
        self.active == standing.active
            && self.served.len() == standing.models.len()
            && standing.models.iter().all(has)
    }

    /// Returns the stake as a fraction of the cap; 0 while the operator cannot be drawn.
    pub fn backed(&self, params: &Params) -> Billionths {
        if self.active && !self.silent {
            params.backed(self.stake)
        } else {
            0
        }
    }

    /// Returns the factors of the operator's score for a model.
    pub fn factors(&self, params: &Params, served: &Served) -> Factors {
        Factors { uptime: self.uptime, speed: served.pace.speed, stake: self.backed(params) }
    }
}

/// A member in the runtime `T`.
pub type MemberOf<T> = Member<<T as Config>::MaxModels>;

/// A model that operators serve.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
)]
pub struct Market {
    /// The number of operators that serve the model.
    pub members: u32,
    /// The number of operators that have a score, in the even tree and in the odd one.
    pub scored: [u32; 2],
    /// The epoch up to which the terms are known.
    pub epoch: u32,
    /// The terms by which scores are computed.
    pub terms: Terms,
    /// The number of jobs assigned in the epoch.
    pub assigned: EpochCount,
    /// The contexts that the model's active operators offer.
    pub contexts: Contexts,
}

impl Market {
    /// Returns a market that no operator serves yet.
    pub fn new(params: &Params, epoch: u32) -> Self {
        Self {
            members: 0,
            scored: [0; 2],
            epoch,
            terms: Terms::new(params),
            assigned: EpochCount::default(),
            contexts: Contexts::default(),
        }
    }

    /// Returns the number of operators with a score in that tree.
    pub fn scored_in(&self, buffer: Buffer) -> u32 {
        let [even, odd] = self.scored;
        match buffer {
            Buffer::Even => even,
            Buffer::Odd => odd,
        }
    }

    /// Updates the number of scores for a leaf that changes from `before` to `now`.
    pub fn count_score(&mut self, buffer: Buffer, before: u64, now: u64) {
        let [even, odd] = &mut self.scored;
        let scored = match buffer {
            Buffer::Even => even,
            Buffer::Odd => odd,
        };
        match (before, now) {
            (0, 1..) => *scored = scored.saturating_add(1),
            (1.., 0) => *scored = scored.saturating_sub(1),
            _ => {}
        }
    }
}
