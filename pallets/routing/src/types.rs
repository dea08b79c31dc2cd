// SPDX-License-Identifier: Apache-2.0
//! Epochs, and the records of operators and of models.

use crate::{
    contexts::Contexts,
    fixed::Billionths,
    measure::{Conduct, Speed, Work},
    pallet::Config,
    score::{Factors, Params, Terms},
};
use assay_primitives::{
    traits::{Offered, Standing},
    Balance, BlockNumber, ModelId,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    pallet_prelude::{CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound},
    traits::Get,
    BoundedVec,
};
use scale_info::TypeInfo;
use sp_core::H256;

/// Which of the two trees of scores of a model. Draws of an epoch go by its own; the other is filled
/// for the next.
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
    /// That of epochs with an even number.
    #[codec(index = 0)]
    Even,
    /// That of epochs with an odd number.
    #[codec(index = 1)]
    Odd,
}

impl Buffer {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Even, Self::Odd];

    /// That of an epoch.
    pub fn of(epoch: u32) -> Self {
        if epoch.is_multiple_of(2) {
            Self::Even
        } else {
            Self::Odd
        }
    }

    /// That of the epochs before and after.
    pub fn other(self) -> Self {
        match self {
            Self::Even => Self::Odd,
            Self::Odd => Self::Even,
        }
    }
}

/// Which tree of a model.
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
    /// Stakes in parts of the cap, which committees are drawn by.
    #[codec(index = 0)]
    Stakes,
    /// Scores, which operators of jobs are drawn by.
    #[codec(index = 1)]
    Scores(Buffer),
}

/// An epoch. In each, every operator has a turn to send a heartbeat, and when its time for that is
/// over, it is visited: what it did since the last visit is closed, and its scores for the next epoch
/// are reckoned.
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
    /// Its number; there is no epoch 0, but the time before the first block.
    pub index: u32,
    /// Its first block.
    pub started: BlockNumber,
    /// The block in which the next begins at the earliest.
    pub ends: BlockNumber,
    /// The slots that have a turn in it: those that there were when it began.
    pub slots: u32,
    /// How many have their turn in the same block.
    pub pace: u32,
    /// How many were visited.
    pub visited: u32,
    /// What heartbeats answer.
    pub challenge: H256,
}

impl Epoch {
    /// The block of a slot's turn: blocks from that one on can be named in its heartbeat. `None` for
    /// slots that have no turn in this epoch.
    pub fn turn(&self, slot: u32) -> Option<BlockNumber> {
        if slot >= self.slots {
            return None;
        }
        Some(self.started.saturating_add(slot.checked_div(self.pace)?))
    }

    /// How many slots are to be visited by this block: those whose turn is more than `window` blocks
    /// past.
    pub fn due(&self, now: BlockNumber, window: BlockNumber) -> u32 {
        let turns = now.saturating_sub(self.started).saturating_sub(window);
        turns.saturating_mul(self.pace).min(self.slots)
    }
}

/// A place in the trees. An operator has the same in all of them.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum Slot<AccountId> {
    /// An operator's.
    #[codec(index = 0)]
    Taken(AccountId),
    /// Nobody's.
    #[codec(index = 1)]
    Free {
        /// The next that is nobody's.
        next: Option<u32>,
    },
}

/// A count that begins anew with each epoch.
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
    /// What was counted in that epoch.
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
    /// Its longest context with it, in tokens.
    pub context: u32,
    /// The operator's speed with it, smoothed over epochs; 0 where none was measured yet.
    pub speed: Speed,
    /// What it delivered since it was last visited.
    pub work: Work,
    /// Jobs that it was given in the epoch; where it took the model up in it, with those of all
    /// models before, so that it gains nothing by dropping a model and taking it up again.
    pub assigned: EpochCount,
}

/// An operator.
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
    /// Its place in the trees.
    pub slot: u32,
    /// Its stake.
    pub stake: Balance,
    /// Whether it takes new duties.
    pub active: bool,
    /// Whether it has fallen silent, and is not drawn until it answers.
    pub silent: bool,
    /// Its uptime, smoothed over epochs.
    pub uptime: Billionths,
    /// What it was asked since it was last visited.
    pub conduct: Conduct,
    /// How often in a row it has not answered.
    pub misses: u32,
    /// The block in which it last answered.
    pub answered_at: BlockNumber,
    /// The first epoch whose heartbeat is neither answered nor counted as missed.
    pub owes: u32,
    /// Jobs that it was given in the epoch, of all models, those that it serves no more among them.
    pub given: EpochCount,
    /// The models that it serves.
    pub served: BoundedVec<Served, MaxModels>,
}

impl<MaxModels: Get<u32>> Member<MaxModels> {
    /// What it does with a model.
    pub fn of(&self, model: &ModelId) -> Option<&Served> {
        self.served.iter().find(|served| served.model == *model)
    }

    /// What it does with a model, to be changed.
    pub fn of_mut(&mut self, model: &ModelId) -> Option<&mut Served> {
        self.served.iter_mut().find(|served| served.model == *model)
    }

    /// Whether it is on record as serving so, whatever its stake.
    pub fn serves_as(&self, standing: &Standing) -> bool {
        let has = |offered: &Offered| {
            self.of(&offered.model).is_some_and(|served| served.context == offered.context)
        };
        self.active == standing.active
            && self.served.len() == standing.models.len()
            && standing.models.iter().all(has)
    }

    /// Its stake in parts of the cap; 0 while it is not to be drawn for anything.
    pub fn backed(&self, params: &Params) -> Billionths {
        if self.active && !self.silent {
            params.backed(self.stake)
        } else {
            0
        }
    }

    /// What its score for a model is reckoned from.
    pub fn factors(&self, params: &Params, served: &Served) -> Factors {
        Factors { uptime: self.uptime, speed: served.speed, stake: self.backed(params) }
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
    /// The operators that serve it.
    pub members: u32,
    /// Those that have a score, in the even tree and in the odd one.
    pub scored: [u32; 2],
    /// The epoch up to which its terms are known.
    pub epoch: u32,
    /// What scores are reckoned with.
    pub terms: Terms,
    /// Jobs that were assigned in the epoch.
    pub assigned: EpochCount,
    /// The contexts that its active operators offer.
    pub contexts: Contexts,
}

impl Market {
    /// A market that nobody serves yet.
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

    /// The operators with a score in that tree.
    pub fn scored_in(&self, buffer: Buffer) -> u32 {
        let [even, odd] = self.scored;
        match buffer {
            Buffer::Even => even,
            Buffer::Odd => odd,
        }
    }

    /// Counts a leaf that was `before` and is `now`.
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
