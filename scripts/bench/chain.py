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
import queue
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

BIN = os.environ["ASSAY_BIN"]
NODE, ASSAY = f"{BIN}/assay-node", f"{BIN}/assay"
HISTOGRAM = "substrate_block_verification_and_import_time"
# What a node says when it has imported a block that is the best now.
IMPORTED = re.compile(r"Imported #(\d+) ")
OPERATORS = ("Alice", "Bob", "Charlie", "Dave")
# What a full block carries beside the timestamp.
TRANSFERS = 200
EMPTY, FULL = "empty", f"{TRANSFERS} transfers"
KINDS = {1: EMPTY, 1 + TRANSFERS: FULL}
# Jobs of a turn: together they last as long as the blocks that are wanted.
JOBS = 4


def beside_imports():
    """What starts a program on the cores on which the node that is measured imports nothing: all but the
    first, where there are others."""
    first, *others = sorted(os.sched_getaffinity(0))
    return ["taskset", "--cpu-list", ",".join(map(str, others or [first]))]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Node:
    """A node of its own process, folder and ports, on loopback. What happens on it is learned from its
    log, line by line."""

    def __init__(self, folder, *args, prefix=()):
        self.rpc, self.p2p, self.metrics = free_port(), free_port(), free_port()
        self.log, self.lines = f"{folder}.log", queue.SimpleQueue()
        self.process = subprocess.Popen(
            [*prefix, NODE, *args, "--base-path", folder, "--rpc-port", str(self.rpc),
             "--listen-addr", f"/ip4/127.0.0.1/tcp/{self.p2p}",
             "--prometheus-port", str(self.metrics), "--no-telemetry", "--no-mdns"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        """Keeps the log, and hands its lines on; `None` when the node has ended."""
        with open(self.log, "w") as log:
            for line in self.process.stdout:
                log.write(line)
                log.flush()
                self.lines.put(line)
        self.lines.put(None)

    def line(self, end, what):
        """The next line of the log; an error if there is none until the time `end`."""
        try:
            line = self.lines.get(timeout=max(0, end - time.monotonic()))
        except queue.Empty:
            raise RuntimeError(f"{what}: not in time; see {self.log}") from None
        if line is None:
            raise RuntimeError(f"{what}: the node has ended; see {self.log}")
        return line

    def wait_for(self, what, condition, seconds):
        """Looks whenever the node says something, until the condition holds."""
        end = time.monotonic() + seconds
        while not condition():
            self.line(end, what)

    def next_block(self, end):
        """Waits for the next block that the node imports; gives its number."""
        while True:
            found = IMPORTED.search(self.line(end, "a block"))
            if found:
                return int(found.group(1))

    def skip(self):
        """Forgets what the log has said so far."""
        while not self.lines.empty():
            self.lines.get()

    def call(self, method, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.rpc}", body,
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def answers(self):
        try:
            return self.call("assay_nodeStatus")
        except OSError:
            return None

    def ready(self, seconds=180):
        """Waits until the node answers; gives its status."""
        self.wait_for("the node answers", self.answers, seconds)
        return self.answers()

    def height(self):
        return int(self.call("chain_getHeader")["number"], 16)

    def extrinsics(self, height):
        block = self.call("chain_getBlock", self.call("chain_getBlockHash", height))
        return len(block["block"]["extrinsics"])

    def imported(self):
        """Seconds and number of all block imports so far."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=30) as page:
            text = page.read().decode()
        figures = {}
        for line in text.splitlines():
            for suffix in ("_sum", "_count"):
                if line.startswith(HISTOGRAM + suffix):
                    figures[suffix] = figures.get(suffix, 0.0) + float(line.rsplit(" ", 1)[1])
        return figures.get("_sum", 0.0), figures.get("_count", 0.0)

    def busy(self):
        return self.call("assay_nodeStatus")["worker"]["open"] > 0

    def fill_block(self):
        """Sends what fills a block of its own."""
        subprocess.run([f"{BIN}/examples/transfers", f"ws://127.0.0.1:{self.rpc}", str(TRANSFERS)],
                       check=True)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        self.reader.join()


def assay(node, *args):
    """Runs the command for users; gives its JSON object."""
    # The network has no settings, whatever the user has configured for others.
    options = ["--url", f"ws://127.0.0.1:{node.rpc}", "--network", "bench", "--json"]
    run = subprocess.run([ASSAY, *options, *args],
                         stdout=subprocess.PIPE, text=True, check=False)
    answer = json.loads(run.stdout.strip().splitlines()[-1])
    if run.returncode != 0:
        raise RuntimeError(f"assay {' '.join(args)}: {answer}")
    return answer


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
            validator.fill_block()
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
        assay(worker, "operator", "models", "--suri", "//Alice", "--offer", f"0x{root},10mASY,2048")

        idle, busy = {EMPTY: [], FULL: []}, {EMPTY: [], FULL: []}
        for turn in range(args.rounds):
            say(f"turn {turn + 1} of {args.rounds}: idle")
            add(idle, measure(worker, validator, args.blocks, busy=False))
            say(f"turn {turn + 1} of {args.rounds}: with jobs")
            for job in range(JOBS):
                assay(worker, "job", "create", "In the beginning", "--model", f"0x{root}",
                      "--max-tokens", "1900", "--deadline", "400", "--seed", str(turn * JOBS + job))
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
