#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what a flood of requests does to the jobs of a node.

A development node runs jobs one after another: in turns alone, and while peers and RPC clients flood it at
a stated rate. The flooding programs have the lowest priority, since in reality they run on other machines.
Compared are the blocks from a job's creation to its settlement, and the node's resident memory. Standard
library only.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile

from node import BIN, Node, assay

FLOOD = f"{BIN}/examples/flood"
# As in node/src/exchange/wire.rs.
EXCHANGE = "assay/exchange/2"


def resident(node):
    """The node's resident memory now, in MiB."""
    with open(f"/proc/{node.process.pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    raise RuntimeError("the node has ended")


def jobs(node, count, tokens):
    """Runs jobs; gives the blocks from each one's creation to its settlement, and the most memory that was
    seen after one of them."""
    blocks, memory = [], resident(node)
    for seed in range(count):
        created = assay(node, "job", "create", "In the beginning", "--max-tokens", str(tokens),
                        "--seed", str(seed))
        settled = assay(node, "job", "status", created["job"], "--wait")
        if settled["verdict"] != "accept":
            raise RuntimeError(f"job {created['job']} is not accepted: {settled}")
        blocks.append(settled["block"] - created["block"])
        memory = max(memory, resident(node))
    return blocks, memory


class Flood:
    """Programs that flood the node while the block of a `with` runs."""

    def __init__(self, folder, *commands):
        self.folder, self.commands, self.running = folder, commands, []

    def __enter__(self):
        for index, command in enumerate(self.commands):
            log = open(f"{self.folder}/flood-{index}.log", "w")
            self.running.append(subprocess.Popen(["nice", "-n", "19", FLOOD, *command], stdout=log,
                                                 stderr=subprocess.STDOUT))
            log.close()
        return self

    def said(self):
        """The last line that each program has printed."""
        lines = []
        for index in range(len(self.commands)):
            with open(f"{self.folder}/flood-{index}.log") as log:
                lines.append((log.read().strip().splitlines() or ["nothing"])[-1])
        return lines

    def __exit__(self, *_):
        for program in self.running:
            if program.poll() is not None:
                raise RuntimeError(f"a flood has ended: {self.said()}")
            program.kill()
            program.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=20, help="jobs alone, and flooded (20)")
    parser.add_argument("--tokens", type=int, default=32, help="output tokens of a job (32)")
    parser.add_argument("--rate", type=int, default=200, help="requests a second at each door (200)")
    args = parser.parse_args()

    folder, node = tempfile.mkdtemp(prefix="assay-bench-"), None
    try:
        say = lambda text: print(f"bench: {text}", file=sys.stderr)
        say("starting a development node")
        node = Node(f"{folder}/node", "--dev")
        peer = node.ready()["peerId"]
        genesis = node.call("chain_getBlockHash", 0)
        # Caches fill with the first jobs.
        jobs(node, 2, args.tokens)
        say(f"{args.jobs} jobs alone")
        alone, memory_alone = jobs(node, args.jobs, args.tokens)
        rate = ["--rate", str(args.rate)]
        protocol = f"/{genesis[2:]}/{EXCHANGE}"
        doors = (["rpc", f"ws://127.0.0.1:{node.rpc}", *rate],
                 ["peers", f"/ip4/127.0.0.1/tcp/{node.p2p}/p2p/{peer}", "--protocol", protocol, *rate])
        say(f"{args.jobs} jobs while {args.rate} requests a second come through each of two doors")
        with Flood(folder, *doors) as flood:
            flooded, memory_flooded = jobs(node, args.jobs, args.tokens)
            said = flood.said()
        print("| jobs | number | median blocks to the settlement | most | memory MiB |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for name, blocks, memory in (("alone", alone, memory_alone),
                                     ("flooded", flooded, memory_flooded)):
            print(f"| {name} | {len(blocks)} | {statistics.median(blocks):.1f} | {max(blocks)} | "
                  f"{memory:.0f} |")
        for door, line in zip(("RPC clients", "peers"), said):
            print(f"\n{door}: {line}")
        print(json.dumps({
            "blocks_alone": statistics.median(alone), "blocks_flooded": statistics.median(flooded),
            "blocks_more": statistics.median(flooded) - statistics.median(alone),
            "memory_more_mib": round(memory_flooded - memory_alone), "rate": args.rate,
            "rpc": said[0], "peers": said[1]}))
    except BaseException:
        print(f"bench: the logs are in {folder}", file=sys.stderr)
        folder = None
        raise
    finally:
        if node:
            node.stop()
        if folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
