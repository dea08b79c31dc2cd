// SPDX-License-Identifier: Apache-2.0
// Opens a key file that `assay key new --out FILE` has written, with the passphrase in another file, and
// prints its account. The last line that it prints is JSON.
//
//   node wallet.mjs me.json passphrase.txt

import { readFileSync } from "node:fs";
import { Keyring } from "@polkadot/api";
import { blake2AsU8a, cryptoWaitReady, encodeAddress } from "@polkadot/util-crypto";
import { u8aToHex } from "@polkadot/util";

const [keyFile, passphraseFile] = process.argv.slice(2);
const json = JSON.parse(readFileSync(keyFile, "utf8"));
const passphrase = readFileSync(passphraseFile, "utf8").split("\n")[0];

await cryptoWaitReady();
const pair = new Keyring().addFromJson(json);
pair.decodePkcs8(passphrase);
// The account of an ECDSA key is the hash of its public key.
const account = pair.type === "ecdsa" ? blake2AsU8a(pair.publicKey) : pair.publicKey;
console.log(
  JSON.stringify({ publicKey: u8aToHex(pair.publicKey), account: encodeAddress(account, 42) }),
);
