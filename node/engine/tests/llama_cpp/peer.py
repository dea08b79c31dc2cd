# SPDX-License-Identifier: Apache-2.0
"""Prints llama.cpp's results for a file; `answers.rs` runs this script.

    peer.py logits FILE < tokens.json > rows.f32     one row of f32 per token
    peer.py greedy FILE < tokens.json > rows.f32     the same
    peer.py tokens FILE < texts.json > tokens.json   texts as hexadecimal bytes
    peer.py choices FILE < tokens.json > pairs.json  the best token after each token, and the bits of the next
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


def choices(path):
    import numpy
    from llama_cpp import Llama, llama_get_logits

    tokens = json.load(sys.stdin)
    # As above, but the rows of a large vocabulary do not all fit into memory.
    model = Llama(
        path, n_ctx=len(tokens), n_batch=1, n_threads=2, n_threads_batch=2,
        type_k=0, type_v=0, flash_attn=False, verbose=False,
    )
    pairs = []
    for i, token in enumerate(tokens):
        model.eval([token])
        row = numpy.ctypeslib.as_array(llama_get_logits(model.ctx), (model.n_vocab(),)).astype("f8")
        bits = 0.0
        if i + 1 < len(tokens):
            bits = numpy.log2(numpy.exp(row - row.max()).sum()) + (row.max() - row[tokens[i + 1]]) / numpy.log(2)
        pairs.append([int(row.argmax()), float(bits)])
    json.dump(pairs, sys.stdout)


def numbers(path, name):
    import gguf

    tensor = next(t for t in gguf.GGUFReader(path).tensors if t.name == name)
    values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    sys.stdout.buffer.write(values.astype("<f4").tobytes())


if __name__ == "__main__":
    operations = {
        "logits": logits, "greedy": logits, "tokens": tokens, "choices": choices, "numbers": numbers,
    }
    operations[sys.argv[1]](*sys.argv[2:])
