// SPDX-License-Identifier: Apache-2.0
//! The id of a job before its creation is in a block.

use super::{
    connection::Chain,
    extrinsic::Signed,
    faults::is_withheld,
    state::{bytes_of, Account},
};
use anyhow::Result;
use assay_primitives::{job::job_id, JobId, JobSpec};
use assay_runtime::{AccountId, Address, Hash, Nonce, Runtime, RuntimeCall, UncheckedExtrinsic};
use codec::DecodeAll;
use jsonrpsee::rpc_params;
use sp_runtime::generic::Preamble;
use std::{collections::BTreeMap, ops::Range};

/// The number of times that block and pool are read before they fit each other.
const READS: usize = 3;

impl Chain {
    /// Returns the id that a job will have whose creation is signed: that of the client's next job,
    /// after those that are created by extrinsics of the client which are not in a block yet.
    ///
    /// Another job of the client can still be created first if two machines sign for it at the same
    /// time, and a node that withholds its pool shows none of the client's extrinsics there; the event of the
    /// creation names the id for certain.
    pub async fn id_of_job(&self, signed: &Signed, spec: &JobSpec<AccountId>) -> Result<JobId> {
        for _ in 0..READS {
            let best: Hash = self.request("chain_getBlockHash", rpc_params![]).await?;
            let key = frame_system::Account::<Runtime>::hashed_key_for(&signed.signer);
            let account: Option<Account> = self.read(key, Some(best)).await?;
            let key = pallet_jobs::JobNonce::<Runtime>::hashed_key_for(&signed.signer);
            let jobs: Option<u64> = self.read(key, Some(best)).await?;
            let before = account.unwrap_or_default().nonce..signed.nonce;
            let pool = if before.is_empty() { Some(Vec::new()) } else { self.pool().await? };
            let Some(pool) = pool else { break };
            if let Some(created) = creations(&pool, &signed.signer, before) {
                let nonce = jobs.unwrap_or_default().saturating_add(created);
                return Ok(job_id(&self.genesis, &signed.signer, nonce, spec));
            }
        }
        self.next_job_id(&signed.signer, spec).await
    }

    /// Returns the extrinsics in the node's pool that this command can read; `None` if the node withholds
    /// its pool.
    async fn pool(&self) -> Result<Option<Vec<UncheckedExtrinsic>>> {
        let all: Vec<String> = match self.request("author_pendingExtrinsics", rpc_params![]).await {
            Err(error) if is_withheld(&error) => return Ok(None),
            all => all?,
        };
        let decode = |text: &String| {
            UncheckedExtrinsic::decode_all(&mut bytes_of(text).ok()?.as_slice()).ok()
        };
        Ok(Some(all.iter().filter_map(decode).collect()))
    }
}

/// Counts the jobs that the signer's extrinsics with these nonces create; `None` unless the pool has
/// all of them.
fn creations(pool: &[UncheckedExtrinsic], signer: &AccountId, nonces: Range<Nonce>) -> Option<u64> {
    let creates: BTreeMap<Nonce, bool> = pool
        .iter()
        .filter_map(|extrinsic| match &extrinsic.preamble {
            Preamble::Signed(Address::Id(by), _, extension) if by == signer => {
                let call = &extrinsic.function;
                let creates = matches!(call, RuntimeCall::Jobs(pallet_jobs::Call::create { .. }));
                Some((extension.5 .0, creates))
            }
            _ => None,
        })
        .collect();
    nonces.map(|nonce| creates.get(&nonce).map(|creates| u64::from(*creates))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_primitives::{job::Sampling, NumericProfile, Payment, PeerIdBytes, Privacy};
    use assay_runtime::{submit::extension, Signature};
    use sp_core::sr25519;
    use sp_keyring::Sr25519Keyring;
    use sp_runtime::generic::Era;

    fn creation() -> RuntimeCall {
        let spec = JobSpec {
            model: Default::default(),
            request_hash: Default::default(),
            input_tokens: 1,
            max_tokens: 1,
            seed: 0,
            sampling: Sampling { temperature: 0, top_k: 0, top_p: Sampling::ONE },
            profile: NumericProfile::N1,
            not_before: 0,
            deadline: 10,
            privacy: Privacy::Public,
            output_key: None,
            peer: PeerIdBytes::default(),
            allowed: Default::default(),
            verification: Default::default(),
            audit: false,
            referrer: None,
        };
        let payment = Payment { down: 0, cost: 1, tip: 0 };
        RuntimeCall::Jobs(pallet_jobs::Call::create { spec, payment })
    }

    fn extrinsic(by: Sr25519Keyring, nonce: Nonce, call: RuntimeCall) -> UncheckedExtrinsic {
        let signature = Signature::Sr25519(sr25519::Signature::default());
        let extension = extension(nonce, 0, Era::Immortal);
        UncheckedExtrinsic::new_signed(call, by.to_account_id().into(), signature, extension)
    }

    #[test]
    fn creations_of_the_signer_before_the_nonce_are_counted() {
        use Sr25519Keyring::{Alice, Bob};
        let remark = || RuntimeCall::System(frame_system::Call::remark { remark: vec![] });
        let pool = [
            extrinsic(Alice, 4, creation()),
            extrinsic(Alice, 5, remark()),
            extrinsic(Alice, 6, creation()),
            extrinsic(Bob, 5, creation()),
            extrinsic(Alice, 7, creation()),
        ];
        let count = |nonces| creations(&pool, &Alice.to_account_id(), nonces);
        assert_eq!(count(4..7), Some(2));
        assert_eq!(count(5..6), Some(0));
        assert_eq!(count(4..4), Some(0));
        // One is in a block by now, or never came to this node.
        assert_eq!(count(3..7), None);
    }
}
