#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures whether the engine slows block import down, and how many jobs fit a block.

A validator without an engine makes blocks, in turns empty and full of transfers. A second node imports
them; it has the engine and the workers of all operators. In turns nothing runs on it, and jobs of a large
random-weight model do. Only blocks that carry nothing else, neither of the operators nor of the jobs, are
compared, so that they have the same content; their import time is what the node's own histogram says.
The validator, which in reality is another machine, keeps off the core on which the second node imports: it
imports a block of its own at the same moment as that one. Standard library only, and taskset.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from node import BIN, NODE, Node, assay

OPERATORS = ("Alice", "Bob", "Charlie", "Dave")
# The transfers in a full block.
TRANSFERS = 200
EMPTY, FULL = "empty", f"{TRANSFERS} transfers"
KINDS = {1: EMPTY, 1 + TRANSFERS: FULL}
# Jobs of a turn: together they last as long as the blocks that are wanted.
JOBS = 4


def beside_imports():
    """The prefix that keeps a program off the core on which the measured node imports: the first, where there
    are others."""
    first, *others = sorted(os.sched_getaffinity(0))
    return ["taskset", "--cpu-list", ",".join(map(str, others or [first]))]


def fill_block(node):
    """Sends what fills a block of its own."""
    subprocess.run([f"{BIN}/examples/transfers", f"ws://127.0.0.1:{node.rpc}", str(TRANSFERS)],
                   check=True)


def measure(node, validator, wanted, busy):
    """Import times, in milliseconds, of `wanted` blocks of each kind while the engine is busy, or idle."""
    node.skip()
    times, height = {kind: [] for kind in KINDS.values()}, node.height()
    total, count = node.imported()
    before = node.busy()
    # Ten slots for a block that counts: most others carry extrinsics.
    end = time.monotonic() + 30 * wanted * len(times)
    while any(len(of_kind) < wanted for of_kind in times.values()):
        if height % 2:
            fill_block(validator)
        try:
            now = node.next_block(end)
        except RuntimeError:
            if node.process.poll() is not None:
                raise
            break
        new_total, new_count = node.imported()
        after = node.busy()
        single = now == height + 1 and new_count == count + 1
        kind = KINDS.get(node.extrinsics(now))
        if single and before == after == busy and kind:
            times[kind].append(1000 * (new_total - total))
        if busy and not after:
            break
        height, total, count, before = now, new_total, new_count, after
    return times


def add(times, more):
    """Adds the times of each kind to those there are."""
    for kind, of_kind in more.items():
        times[kind] += of_kind


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="turns of idle and busy (3)")
    parser.add_argument("--blocks", type=int, default=6, help="blocks of a kind in a turn (6)")
    args = parser.parse_args()

    folder = tempfile.mkdtemp(prefix="assay-bench-")
    nodes = []
    try:
        say = lambda text: print(f"bench: {text}", file=sys.stderr)
        say("writing a model of about 110 million random weights")
        model = f"{folder}/model.gguf"
        root = subprocess.run([f"{BIN}/examples/synthetic", model, "--layers", "16"],
                              stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        say("starting a validator without an engine, and a node with one")
        validator = Node(f"{folder}/validator", "--dev", "--no-engine", "--no-prometheus",
                         prefix=beside_imports())
        nodes.append(validator)
        peer = validator.ready()["peerId"]
        for name in OPERATORS:
            subprocess.run([NODE, "key", "insert", "--chain", "dev", "--base-path",
                            f"{folder}/worker", "--scheme", "sr25519", "--key-type", "assy",
                            "--suri", f"//{name}//worker"], check=True)
        worker = Node(f"{folder}/worker", "--chain", "dev", "--model", model, "--bootnodes",
                      f"/ip4/127.0.0.1/tcp/{validator.p2p}/p2p/{peer}")
        nodes.append(worker)
        worker.ready()
        worker.wait_for("the second node follows the first",
                        lambda: 3 <= validator.height() <= worker.height() + 1, 180)
        assay(worker, "operator", "models", "--suri", "//Alice", "--offer", f"0x{root},1mASY/10mASY,2048")

        idle, busy = {EMPTY: [], FULL: []}, {EMPTY: [], FULL: []}
        for turn in range(args.rounds):
            say(f"turn {turn + 1} of {args.rounds}: idle")
            add(idle, measure(worker, validator, args.blocks, busy=False))
            say(f"turn {turn + 1} of {args.rounds}: with jobs")
            for job in range(JOBS):
                assay(worker, "job", "create", "In the beginning", "--model", f"0x{root}",
                      "--max-tokens", "1900", "--deadline", "400", "--seed", str(turn * JOBS + job),
                      "--verification", "if-possible")
            worker.wait_for("the jobs run", worker.busy, 60)
            add(busy, measure(worker, validator, args.blocks, busy=True))
            worker.wait_for("the jobs end", lambda: not worker.busy(), 600)
        lifecycles = json.loads(subprocess.run([f"{BIN}/examples/lifecycles"], text=True,
                                               stdout=subprocess.PIPE, check=True).stdout)
        print("| blocks | engine | number | median import ms | 90 % below |")
        print("| --- | --- | ---: | ---: | ---: |")
        figures = {}
        for kind, suffix in ((FULL, ""), (EMPTY, "_empty")):
            medians = []
            for name, times in (("idle", idle[kind]), ("busy", busy[kind])):
                if len(times) < 5:
                    raise RuntimeError(f"too few blocks: {len(times)} of {kind}, {name}")
                medians.append(statistics.median(times))
                high = statistics.quantiles(times, n=10)[8]
                print(f"| {kind} | {name} | {len(times)} | {medians[-1]:.3f} | {high:.3f} |")
                figures[f"import_{name}_ms{suffix}"] = round(medians[-1], 3)
                figures[f"{name}_blocks{suffix}"] = len(times)
            figures[f"import_slowdown{suffix}"] = round(medians[1] / medians[0] - 1, 4)
        print(f"\nImport beside jobs: {100 * figures['import_slowdown']:+.1f} % for blocks of {FULL}, "
              f"{100 * figures['import_slowdown_empty']:+.1f} % for empty ones. "
              f"Whole jobs in a block, by weight: {lifecycles['lifecycles_per_block']}.")
        print(json.dumps({**figures, **lifecycles}))
    except BaseException:
        print(f"bench: the logs are in {folder}", file=sys.stderr)
        folder = None
        raise
    finally:
        for node in reversed(nodes):
            node.stop()
        if folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
