# SPDX-License-Identifier: Apache-2.0
"""Prints llama.cpp's results for a file; `answers.rs` runs this script.

    peer.py logits FILE < tokens.json > rows.f32     one row of f32 per token
    peer.py greedy FILE < tokens.json > rows.f32     the same
    peer.py tokens FILE < texts.json > tokens.json   texts as hexadecimal bytes
    peer.py numbers FILE TENSOR > numbers.f32        by the gguf package
"""
import json
import sys


def logits(path):
    from llama_cpp import Llama

    tokens = json.load(sys.stdin)
    # Keys and values are in f32, as in N1, and flash attention is off, since it rounds them to f16.
    # Tokens go one at a time, because larger batches of 0.3.36 crash on a machine with AMX.
    model = Llama(
        path, n_ctx=len(tokens), n_batch=1, logits_all=True, n_threads=1, n_threads_batch=1,
        type_k=0, type_v=0, flash_attn=False, verbose=False,
    )
    model.eval(tokens)
    sys.stdout.buffer.write(model.scores[: len(tokens)].astype("<f4").tobytes())


def tokens(path):
    from llama_cpp import Llama

    model = Llama(path, vocab_only=True, verbose=False)
    texts = [bytes.fromhex(text) for text in json.load(sys.stdin)]
    json.dump([model.tokenize(text, add_bos=True, special=False) for text in texts], sys.stdout)


def numbers(path, name):
    import gguf

    tensor = next(t for t in gguf.GGUFReader(path).tensors if t.name == name)
    values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    sys.stdout.buffer.write(values.astype("<f4").tobytes())


if __name__ == "__main__":
    {"logits": logits, "greedy": logits, "tokens": tokens, "numbers": numbers}[sys.argv[1]](*sys.argv[2:])
