#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Computes the sampling rule and the digests of assay-engine a second time, from their description.

It uses the standard library alone and none of the crate's code. `--check` recomputes sampling.json
and compares it, `--write` writes it.
"""

import argparse
import hashlib
import json
import math
import pathlib
import random
import struct
import sys

MASK = 0xFFFFFFFF
LN2 = 2977044471
LOG2_E = 6196328018
FILE = pathlib.Path(__file__).with_name("sampling.json")


def chacha8_block(key, counter, nonce):
    """Returns one block of ChaCha with 8 rounds, 64-bit counter and 64-bit nonce: 16 words."""
    constants = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574]
    start = constants + list(struct.unpack("<8I", key))
    start += [counter & MASK, counter >> 32, nonce & MASK, nonce >> 32]
    s = list(start)

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & MASK
            v = s[z] ^ s[x]
            s[z] = ((v << turn) | (v >> (32 - turn))) & MASK

    for _ in range(4):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return [(x + y) & MASK for x, y in zip(s, start)]


def ln_table():
    table = []
    for i in range(256):
        z = (i << 62) // (512 + i)
        zz = z * z >> 62
        total, power = 0, z
        for n in range(1, 42, 2):
            total += power // n
            power = power * zz >> 62
        table.append(2 * total >> 30)
    return table


TABLE = ln_table()


def ln_q32(x):
    k = x.bit_length() - 1
    m = x >> (k - 31) if k > 31 else x << (31 - k)
    c = m >> 23 << 23
    r = ((m - c) << 32) // c
    squared = r * r >> 32
    cubed = squared * r >> 32
    return k * LN2 + TABLE[(m >> 23) & 255] + r - (squared >> 1) + cubed // 3


def gumbel_q24(word):
    negative_ln = max(1, 33 * LN2 - ln_q32(2 * word + 1))
    return (32 * LN2 - ln_q32(negative_ln)) >> 8


def exp_q32(t):
    if t >= 23 << 24:
        return 0
    y = t * LOG2_E >> 32
    z = (y & 0xFFFFFF) * LN2 >> 24
    p = 1 << 32
    for k in range(12, 0, -1):
        p = (1 << 32) - (z * p >> 32) // k
    return p >> (y >> 24)


def powers():
    """Returns 2^-(i / 256) in Q62."""
    table, root = [1 << 62] * 256, 1 << 61
    for bit in range(7, -1, -1):
        root = math.isqrt(root << 62)
        table = [p * root >> 62 if i >> bit & 1 else p for i, p in enumerate(table)]
    return table


POWERS = powers()


def weight(t):
    """Returns floor(2^40 e^-t) for a gap t in Q16, as score::frequency does without its 1."""
    if t >= 28 << 16:
        return 0
    y = t * LOG2_E >> 24
    z = (y & 0xFFFF) * LN2 >> 16
    squared = z * z >> 40
    cubed = squared * z >> 40
    tail = (1 << 40) - z + squared // 2 - cubed // 6
    return POWERS[(y >> 16) & 255] * tail >> 62 >> (y >> 24)


def log_probabilities(row):
    """Returns the natural logarithm of each token's probability in Q15.16."""
    most = max(row)
    normal = 40 * LN2 - ln_q32(sum(weight(most - logit) for logit in row))
    exact = [normal - ((most - logit) << 16) for logit in row]
    return [max(-(2**31), min(0, (number + (1 << 15)) >> 16)) for number in exact]


def sample_key(seed, job):
    data = b"assay/sample/1" + struct.pack("<Q", seed) + job
    return hashlib.blake2b(data, digest_size=32).digest()


def adjusted(row, bias, presence, frequency, repetition, prompt, output):
    """Returns the logits with the bias and the penalties of a request."""
    row = list(row)

    def limited(logit):
        return max(-(2**31), min(2**31 - 1, logit))

    for token, number in bias:
        if token < len(row):
            row[token] = limited(row[token] + number)
    for token in set(prompt) | set(output):
        if token < len(row):
            logit, times = row[token], output.count(token)
            logit = (logit << 16) // repetition if logit > 0 else logit * repetition >> 16
            logit -= frequency * times + (presence if times else 0)
            row[token] = limited(logit)
    return row


def pick(row, position, key, temperature, top_k, top_p, min_p):
    order = sorted(range(len(row)), key=lambda j: (-row[j], j))
    if temperature == 0:
        return order[0]
    scaled = [(logit << 24) // temperature for logit in row]
    if top_k:
        order = order[:top_k]
    if top_p < 65536:
        weights = [exp_q32(scaled[order[0]] - scaled[j]) for j in order]
        needed, total, keep = sum(weights) * top_p, 0, 0
        for weight in weights:
            total += weight
            keep += 1
            if total << 16 >= needed:
                break
        order = order[:keep]
    weights = [exp_q32(scaled[order[0]] - scaled[j]) for j in order]
    order = [j for j, weight in zip(order, weights) if weight << 16 >= weights[0] * min_p]

    def score(j):
        return scaled[j] + gumbel_q24(chacha8_block(key, j // 16, position)[j % 16])

    return min(order, key=lambda j: (-score(j), j))


IV = [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19]
ORDER = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
CHUNK_START, CHUNK_END, PARENT, ROOT, KEYED_HASH = 1, 2, 4, 8, 16


def compress(chain, block, counter, length, flags):
    """Returns the chaining value of a block of BLAKE3."""
    m = list(struct.unpack("<16I", block.ljust(64, b"\0")))
    s = list(chain) + IV[:4] + [counter & MASK, counter >> 32, length, flags]

    def mix(a, b, c, d, x, y):
        for word, (right, left) in ((x, (16, 12)), (y, (8, 7))):
            s[a] = (s[a] + s[b] + word) & MASK
            v = s[d] ^ s[a]
            s[d] = ((v >> right) | (v << (32 - right))) & MASK
            s[c] = (s[c] + s[d]) & MASK
            v = s[b] ^ s[c]
            s[b] = ((v >> left) | (v << (32 - left))) & MASK

    for _ in range(7):
        for i in range(4):
            mix(i, 4 + i, 8 + i, 12 + i, m[2 * i], m[2 * i + 1])
        for i in range(4):
            j = (i + 1) % 4
            mix(i, 4 + j, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[8 + 2 * i], m[9 + 2 * i])
        m = [m[i] for i in ORDER]
    return [s[i] ^ s[i + 8] for i in range(8)]


def keyed_blake3(key, data):
    """Returns the 32 bytes of BLAKE3 in its keyed mode."""
    words = struct.unpack("<8I", key)

    def node(data, first, root):
        if len(data) <= 1024:
            chain = words
            blocks = [data[i : i + 64] for i in range(0, len(data), 64)] or [b""]
            for i, block in enumerate(blocks):
                flags = KEYED_HASH | (CHUNK_START if i == 0 else 0)
                if i + 1 == len(blocks):
                    flags |= CHUNK_END | root
                chain = compress(chain, block, first, len(block), flags)
            return chain
        left = 1024
        while 2 * left < len(data):
            left *= 2
        children = node(data[:left], first, 0) + node(data[left:], first + left // 1024, 0)
        return compress(words, struct.pack("<16I", *children), 0, 64, KEYED_HASH | PARENT | root)

    return struct.pack("<8I", *node(data, 0, ROOT))


def digest(key, row):
    """Returns the digest of a row's 16 largest entries, as digest::position computes it."""
    top = sorted(range(len(row)), key=lambda j: (-row[j], j))[:16]
    return keyed_blake3(key, b"\0" + b"".join(struct.pack("<Ii", j, row[j]) for j in top))


def output_digest(key, tokens):
    return keyed_blake3(key, b"\1" + b"".join(struct.pack("<I", token) for token in tokens))


def roots():
    """Returns vectors of outputs whose hashes have one chunk and several."""
    source = random.Random(21)
    cases = []
    for count in [1, 2, 30, 31, 32, 64, 100]:
        key = source.randbytes(32)
        tokens = [source.getrandbits(32) for _ in range(count)]
        digests = [source.randbytes(32) for _ in range(count)]
        output = output_digest(key, tokens)
        cases.append(
            {
                "key": key.hex(),
                "tokens": tokens,
                "digests": [digest.hex() for digest in digests],
                "output": output.hex(),
                "root": keyed_blake3(key, b"\2" + b"".join(digests) + output).hex(),
            }
        )
    return cases


def logprobs():
    """Returns rows with the log probabilities of all tokens, and the order of the likeliest."""
    source = random.Random(23)
    cases = []
    for number in range(60):
        size = source.choice([1, 2, 16, 17, 259, 700])
        spread = source.choice([0, 10, 65536, 400000, 2000000, 2**31 - 1])
        row = [source.randint(-spread, spread) for _ in range(size)]
        if number % 5 == 0:
            row[-1] = max(row)
        values, count = log_probabilities(row), source.choice([1, 3, 16])
        order = sorted(range(size), key=lambda j: (-row[j], j))[:count]
        cases.append({"row": row, "values": values, "count": count, "top": order})
    return cases


def choices():
    """Returns tokens that are chosen from logits with biases and penalties."""
    source = random.Random(22)
    cases = []
    for number in range(80):
        size = source.choice([1, 16, 40, 259])
        spread = source.choice([10, 65536, 400000, 2**31 - 1])
        row = [source.randint(-spread, spread) for _ in range(size)]
        prompt = [source.randrange(size) for _ in range(source.randint(1, 20))]
        output = [source.randrange(size) for _ in range(source.randint(0, 20))]
        strong = number % 4 == 0
        number_of = lambda: source.randint(-(2**31), 2**31 - 1) if strong else source.randint(-90000, 90000)
        tokens = sorted(source.sample(range(size + 3), source.randint(0, min(size, 9))))
        bias = [[token, number_of()] for token in tokens]
        presence, frequency = number_of(), number_of()
        repetition = source.choice([65536, 72090, 131072, 32768, 1, 2**32 - 1])
        if number % 10 == 1:
            presence, frequency, repetition = 0, 0, 65536
        seed, job = source.getrandbits(64), source.randbytes(32)
        temperature, min_p = source.choice([(0, 0), (65536, 0), (65536, 6554)])
        changed = adjusted(row, bias, presence, frequency, repetition, prompt, output)
        position = len(prompt) + len(output)
        cases.append(
            {
                "seed": seed,
                "job": job.hex(),
                "temperature": temperature,
                "min_p": min_p,
                "bias": bias,
                "presence": presence,
                "frequency": frequency,
                "repetition": repetition,
                "prompt": prompt,
                "output": output,
                "row": row,
                "token": pick(changed, position, sample_key(seed, job), temperature, 0, 65536, min_p),
            }
        )
    return cases


def vectors():
    source = random.Random(20)
    words = [0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]
    words += [source.getrandbits(32) for _ in range(50)]
    times = [0, 1, 255, 1 << 23, 1 << 24, (23 << 24) - 1, 23 << 24]
    times += [source.randrange(23 << 24) for _ in range(50)]
    naturals = [1, 2, 3, 2**31, 2**32 - 1, 2**32, 2**33 - 1, 33 * LN2]
    naturals += [source.getrandbits(36) + 1 for _ in range(50)]
    settings = [(0, 0, 65536, 0), (65536, 0, 65536, 0), (65536, 40, 65536, 0), (65536, 0, 58982, 0)]
    settings += [(52429, 40, 62259, 0), (131072, 5, 32768, 0), (1, 0, 65536, 0), (65536, 1, 65536, 0)]
    settings += [(65536, 0, 0, 0), (4294967295, 300, 65535, 0), (65536, 0, 65536, 3277)]
    settings += [(131072, 40, 62259, 65536), (300000, 0, 65536, 1)]
    picks = []
    for number in range(60):
        size = source.choice([1, 2, 16, 17, 259, 259, 700])
        spread = source.choice([10, 65536, 400000, 2**31 - 1])
        row = [source.randint(-spread, spread) for _ in range(size)]
        if number % 5 == 0:
            row[-1] = max(row)
        seed, job = source.getrandbits(64), source.randbytes(32)
        position = source.choice([0, 1, 63, 2047, MASK])
        temperature, top_k, top_p, min_p = settings[number % len(settings)]
        key = sample_key(seed, job)
        picks.append(
            {
                "seed": seed,
                "job": job.hex(),
                "key": key.hex(),
                "position": position,
                "temperature": temperature,
                "top_k": top_k,
                "top_p": top_p,
                "min_p": min_p,
                "row": row,
                "token": pick(row, position, key, temperature, top_k, top_p, min_p),
                "digest": digest(job, row).hex(),
            }
        )
    return {
        "gumbel_q24": [[w, gumbel_q24(w)] for w in words],
        "exp_q32": [[t, exp_q32(t)] for t in times],
        "ln_q32": [[n, ln_q32(n)] for n in naturals],
        "picks": picks,
        "choices": choices(),
        "logprobs": logprobs(),
        "roots": roots(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="compare sampling.json")
    mode.add_argument("--write", action="store_true", help="write sampling.json")
    options = parser.parse_args()
    text = json.dumps(vectors(), separators=(",", ":")) + "\n"
    if options.write:
        FILE.write_text(text)
        return 0
    if FILE.read_text() == text:
        return 0
    print(f"{FILE} differs from what this script computes", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
