#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A node that a benchmark starts, and the command for users. Standard library only."""

import json
import os
import queue
import re
import socket
import subprocess
import threading
import time
import urllib.request

BIN = os.environ["ASSAY_BIN"]
NODE, ASSAY = f"{BIN}/assay-node", f"{BIN}/assay"
HISTOGRAM = "substrate_block_verification_and_import_time"
# What a node says when it has imported a block that is the best now.
IMPORTED = re.compile(r"Imported #(\d+) ")


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
