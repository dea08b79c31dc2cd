// SPDX-License-Identifier: Apache-2.0
// Connects to the node at the address given, sends a transfer from //Eve to a new account, waits
// until it is in a block, and prints one JSON object.

import { ApiPromise, Keyring, WsProvider } from "@polkadot/api";

const [url, seed] = process.argv.slice(2);
const provider = new WsProvider(url);
const api = await ApiPromise.create({ provider, throwOnConnect: true });
const keyring = new Keyring({ type: "sr25519" });
const eve = keyring.addFromUri("//Eve");
const to = keyring.addFromUri(seed);
const amount = 5_000_000_000_000n;

const included = await new Promise((resolve, reject) => {
  api.tx.balances
    .transferKeepAlive(to.address, amount)
    .signAndSend(eve, ({ status, dispatchError, isError }) => {
      if (dispatchError?.isModule) {
        const { section, name } = api.registry.findMetaError(dispatchError.asModule);
        reject(new Error(`${section}.${name}`));
      } else if (dispatchError || isError) {
        reject(new Error(`${dispatchError ?? status}`));
      } else if (status.isInBlock) {
        resolve(status.asInBlock.toHex());
      }
    })
    .catch(reject);
});

const account = await api.query.system.account(to.address);
// A runtime API and a constant of the chain's own, by metadata alone.
const operators = await api.call.assayApi.operators();
console.log(
  JSON.stringify({
    block: included,
    to: to.address,
    free: account.data.free.toString(),
    operators: operators.length,
    specName: api.runtimeVersion.specName.toString(),
  }),
);
await api.disconnect();
