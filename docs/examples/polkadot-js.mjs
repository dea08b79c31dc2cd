// SPDX-License-Identifier: Apache-2.0
// Buys an answer with @polkadot/api: gives the prompt to a node, pays for the job on the chain, shows
// the tokens as they are generated, and waits for the verdict. The last line that it prints is JSON.
//
//   node polkadot-js.mjs ws://127.0.0.1:9944 "In the beginning"

import { ApiPromise, Keyring, WsProvider } from "@polkadot/api";
import { hexToU8a, u8aToHex } from "@polkadot/util";
import { base58Decode } from "@polkadot/util-crypto";
import { textRequest } from "./request.mjs";

const [url = "ws://127.0.0.1:9944", prompt = "In the beginning"] = process.argv.slice(2);
const MAX_TOKENS = 32;

// Metadata describes the chain, but not the methods that a node has of its own.
const JOB = { name: "job", type: "H256" };
const rpc = {
  assay: {
    nodeStatus: { description: "The state of this node", params: [], type: "Json" },
    submitPayload: {
      description: "Keeps a request for the operators",
      params: [
        { name: "payload", type: "Bytes" },
        { name: "model", type: "H256" },
      ],
      type: "Json",
    },
    output: { description: "The output of a job", params: [JOB], type: "Json" },
    request: { description: "The request of a job", params: [JOB], type: "Option<Bytes>" },
    subscribeOutput: {
      description: "The tokens of a job as they come",
      params: [JOB, { name: "from", type: "u32" }],
      type: "Json",
      pubsub: ["outputItem", "subscribeOutput", "unsubscribeOutput"],
    },
  },
};

const provider = new WsProvider(url);
const api = await ApiPromise.create({ provider, rpc, throwOnConnect: true });
// A public key of the development chain; a dApp signs with the user's extension instead.
const client = new Keyring({ type: "sr25519" }).addFromUri("//Eve");

// 1. The request, which has the prompt, stays off the chain. A node that has the model counts its tokens.
const node = (await api.rpc.assay.nodeStatus()).toJSON();
const model = node.worker.models[0].id;
const request = u8aToHex(textRequest(prompt));
const payload = (await api.rpc.assay.submitPayload(request, model)).toJSON();

// 2. The price: what creating the job puts on hold, at most.
const quote = await api.call.assayApi.quote(model, payload.tokens, MAX_TOKENS);
if (quote.isErr) throw new Error(`no quote: ${quote.asErr.type}`);
const { payment } = quote.asOk;

// 3. The job. Enumerations are given by the name of the variant, byte strings in hex.
const spec = {
  model,
  requestHash: payload.hash, // the blake2_256 hash of the request, as the node computed it
  inputTokens: payload.tokens,
  maxTokens: MAX_TOKENS,
  seed: 0,
  sampling: { temperature: 0, topK: 0, topP: 65_536 }, // 65,536 is 1.0; greedy
  profile: "N1",
  notBefore: 0,
  deadline: 200, // blocks
  privacy: "Public",
  outputKey: null,
  peer: u8aToHex(base58Decode(node.peerId)), // the operators fetch the request from this node
  allowed: [],
  verification: "Required",
  audit: false,
  referrer: null,
};
const events = await finalised(api.tx.jobs.create(spec, payment), client);
const created = events.find(({ event }) => api.events.jobs.JobCreated.is(event));
const job = created.event.data.job.toHex();

// 4. The tokens as they come. A character may be cut between two items, so the decoder is kept.
const decoder = new TextDecoder();
await api.rpc.assay.subscribeOutput(job, 0, (item) => {
  const { bytes } = item.toJSON();
  process.stdout.write(decoder.decode(hexToU8a(bytes), { stream: true }));
});

// 5. The verdict. What was streamed is one node's word; what hashes to the operator's commitment on
// the chain is the output.
const settlement = await settled(job);
const output = (await api.rpc.assay.output(job)).toJSON();
console.log(
  `\n${JSON.stringify({
    job,
    output: output?.text,
    verdict: settlement.audit.type,
    outcome: settlement.outcome.type,
    paid: settlement.paid.toString(),
  })}`,
);
await api.disconnect();

/** Signs and sends an extrinsic, and resolves with its events once its block is final. */
function finalised(extrinsic, signer) {
  return new Promise((resolve, reject) => {
    extrinsic
      .signAndSend(signer, ({ status, events, dispatchError, isError }) => {
        if (dispatchError?.isModule) {
          const { section, name } = api.registry.findMetaError(dispatchError.asModule);
          reject(new Error(`${section}.${name}`));
        } else if (dispatchError || isError) {
          reject(new Error(`${dispatchError ?? status}`));
        } else if (status.isFinalized) {
          resolve(events);
        }
      })
      .catch(reject);
  });
}

/** Resolves with the settlement of a job, once that is final. */
function settled(job) {
  return new Promise((resolve, reject) => {
    const look = async ({ hash }) => {
      const at = await api.at(hash);
      const view = await at.call.assayApi.job(job);
      const { state } = view.unwrap();
      if (state.isSettled) resolve(state.asSettled);
    };
    api.rpc.chain.subscribeFinalizedHeads((head) => look(head).catch(reject)).catch(reject);
  });
}
