// SPDX-License-Identifier: Apache-2.0
// Buys an answer with polkadot-api: gives the prompt to a node, pays for the job on the chain, shows
// the tokens as they are generated, and waits for the verdict. The last line that it prints is JSON.
//
//   node polkadot-api.mjs ws://127.0.0.1:9944 "In the beginning"

import { sr25519CreateDerive } from "@polkadot-labs/hdkd";
import { DEV_MINI_SECRET } from "@polkadot-labs/hdkd-helpers";
import { base58 } from "@scure/base";
import { Binary, createClient } from "polkadot-api";
import { getPolkadotSigner } from "polkadot-api/signer";
import { getWsProvider } from "polkadot-api/ws";
import { concatMap, filter, firstValueFrom, map } from "rxjs";
import WebSocket from "ws";
import { textRequest } from "./request.mjs";

const [url = "ws://127.0.0.1:9944", prompt = "In the beginning"] = process.argv.slice(2);
const MAX_TOKENS = 32;

// Browsers, and Node.js from 22 on, have a WebSocket of their own.
const client = createClient(getWsProvider(url, { websocketClass: WebSocket }));
// Types come from the chain's metadata. With descriptors (`npx papi add`) they are checked as well.
const api = client.getUnsafeApi();
// A public key of the development chain; a dApp signs with the user's extension instead.
const eve = sr25519CreateDerive(DEV_MINI_SECRET)("//Eve");
const signer = getPolkadotSigner(eve.publicKey, "Sr25519", eve.sign);

// 1. The request, which has the prompt, stays off the chain. A node that has the model counts its tokens.
const node = await client._request("assay_nodeStatus", []);
const model = node.worker.models[0].id;
const request = Binary.toHex(textRequest(prompt));
const payload = await client._request("assay_submitPayload", [request, model]);

// 2. The price: what creating the job puts on hold, at most.
const quote = await api.apis.AssayApi.quote(model, payload.tokens, MAX_TOKENS);
if (!quote.success) throw new Error(`no quote: ${quote.value.type}`);
const { payment } = quote.value;

// 3. The job. Names are those of the metadata, with underscores; u64 and u128 are bigints, hashes hex,
// and byte strings Uint8Arrays.
const spec = {
  model,
  request_hash: payload.hash, // the blake2_256 hash of the request, as the node computed it
  input_tokens: payload.tokens,
  max_tokens: MAX_TOKENS,
  seed: 0n,
  sampling: { temperature: 0, top_k: 0, top_p: 65_536 }, // 65,536 is 1.0; greedy
  profile: { type: "N1" },
  not_before: 0,
  deadline: 200, // blocks
  privacy: { type: "Public" },
  output_key: undefined,
  peer: base58.decode(node.peerId), // the operators fetch the request from this node
  allowed: [],
  verification: { type: "Required" },
  audit: false,
  referrer: undefined,
};
const included = await api.tx.Jobs.create({ spec, payment }).signAndSubmit(signer);
if (!included.ok) throw new Error(JSON.stringify(included.dispatchError));
const [created] = api.event.Jobs.JobCreated.filter(included.events);
const { job } = created.payload;

// 4. The tokens as they come. A character may be cut between two items, so the decoder is kept.
const decoder = new TextDecoder();
const tokens = client
  ._subscribe("assay_subscribeOutput", "assay_unsubscribeOutput", [job, 0])
  .subscribe(({ bytes }) => {
    process.stdout.write(decoder.decode(Binary.fromHex(bytes), { stream: true }));
  });

// 5. The verdict. What was streamed is one node's word; what hashes to the operator's commitment on
// the chain is the output.
const settlement = await firstValueFrom(
  client.finalizedBlock$.pipe(
    concatMap(({ hash }) => api.apis.AssayApi.job(job, { at: hash })),
    map(({ state }) => state),
    filter(({ type }) => type === "Settled"),
    map(({ value }) => value),
  ),
);
tokens.unsubscribe();
const output = await client._request("assay_output", [job]);
console.log(
  `\n${JSON.stringify({
    job,
    output: output?.text,
    verdict: settlement.audit.type,
    outcome: settlement.outcome.type,
    paid: settlement.paid.toString(),
  })}`,
);
client.destroy();
