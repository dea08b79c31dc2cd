// SPDX-License-Identifier: Apache-2.0
// Encodes a request: everything that a client wants of a model and that does not go on the chain. The
// fields, in their order, are in docs/rpc.md.

/** Returns the bytes of the request for the continuation of a text. */
export function textRequest(text) {
  const bytes = new TextEncoder().encode(text);
  return Uint8Array.from([
    1, // the version
    ...[0, ...compact(bytes.length), ...bytes], // prompt: a text
    0, // stop: no strings
    0, // logit_bias: no tokens
    ...[0, 0, 0, 0], // presence
    ...[0, 0, 0, 0], // frequency
    ...[0, 0, 1, 0], // repetition: 65,536, which is 1.0
    ...[0, 0, 0, 0], // min_p
    0, // ignore_end
    0, // logprobs
    0, // constraint: none
    0, // salt: none
  ]);
}

/** Returns a length below 2^30 in SCALE's compact form, the shortest. */
function compact(length) {
  if (length < 1 << 6) return [length << 2];
  const form = length < 1 << 14 ? { bytes: 2, mode: 1 } : { bytes: 4, mode: 2 };
  const value = length * 4 + form.mode;
  return Array.from({ length: form.bytes }, (_, at) => (value >>> (8 * at)) & 255);
}
