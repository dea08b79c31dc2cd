#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Decode speed of llama.cpp: llama_decode.py MODEL THREADS PROMPT TOKENS. Prints tokens per second.

The same work as the engine's example `decode`: a prompt, then tokens one by one, whose logits are
computed and looked at. Through llama.cpp's C interface, so that Python costs nothing. The prompt goes
token by token: batches crash some builds of the package.
"""

import sys
import time

import llama_cpp as llama

model_path, threads, prompt, tokens = sys.argv[1], *map(int, sys.argv[2:5])


@llama.llama_log_callback
def silent(level, text, data):
    pass


llama.llama_log_set(silent, None)
llama.llama_backend_init()
parameters = llama.llama_model_default_params()
model = llama.llama_model_load_from_file(model_path.encode(), parameters)
if not model:
    sys.exit(f"llama.cpp cannot load {model_path}")
parameters = llama.llama_context_default_params()
parameters.n_ctx = prompt + tokens + 64
parameters.n_threads = parameters.n_threads_batch = threads
context = llama.llama_init_from_model(model, parameters)
if not context:
    sys.exit("llama.cpp makes no context")


def send(position):
    """Any sequence will do: what is measured does not depend on the tokens."""
    token = (llama.llama_token * 1)(3 + position * 31 % 250)
    if llama.llama_decode(context, llama.llama_batch_get_one(token, 1)) != 0:
        sys.exit("llama.cpp cannot decode")
    return llama.llama_get_logits_ith(context, -1)[0]


for i in range(prompt):
    send(i)
begun = time.perf_counter()
for i in range(prompt, prompt + tokens):
    send(i)
print(tokens / (time.perf_counter() - begun))
