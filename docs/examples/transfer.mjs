// SPDX-License-Identifier: Apache-2.0
// Sends 5 ASY from //Eve to the account of another secret, waits until the transfer is in a block, and
// reads the new balance. The last line that it prints is JSON.
//
//   node transfer.mjs ws://127.0.0.1:9944 //Frank

import { ApiPromise, Keyring, WsProvider } from "@polkadot/api";

const [url = "ws://127.0.0.1:9944", seed = "//Frank"] = process.argv.slice(2);
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
// A runtime API of Assay's own: metadata describes it.
const operators = await api.call.assayApi.operators(null, 256);
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
