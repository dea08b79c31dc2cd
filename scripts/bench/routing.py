#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws what the example `simulate` of pallet-routing has found: whether jobs follow scores, how far
weights move, and what splitting, lying, dropping and dying bring. Writes docs/bench/routing.md and its
pictures. Needs Python's matplotlib for those; without it the tables alone are written.
"""

import argparse
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

ROOT = Path(os.environ["ASSAY_ROOT"])
SIMULATE = Path(os.environ["ASSAY_BIN"]) / "examples" / "simulate"
OUT = ROOT / "docs" / "bench"


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def plots(found, folder):
    """Pictures of what the tables say."""
    try:
        import matplotlib
    except ImportError:
        say("without pictures: Python's matplotlib is missing (apt-get install python3-matplotlib)")
        return []
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4))
    for run in found["fairness"]:
        label = f"{run['operators']} operators"
        scale = run["operators"]
        points = [(score * scale, won * scale) for score, won in run["shares"]]
        left.scatter(*zip(*points), s=6, label=label)
        right.plot([point[0] for point in run["weight_of_speed"]],
                   [point[1] for point in run["weight_of_speed"]], linewidth=0.8, label=label)
    most = max(score * run["operators"] for run in found["fairness"] for score, _ in run["shares"])
    left.plot([0, most], [0, most], color="grey", linewidth=0.8)
    left.set_xlabel("share by score (1 = an even share)")
    left.set_ylabel("share of the jobs")
    left.legend()
    right.set_xlabel("epoch")
    right.set_ylabel("weight of speed")
    right.set_ylim(0, 1)
    right.axhline(0.1, color="grey", linewidth=0.8)
    right.axhline(0.7, color="grey", linewidth=0.8)
    figure.tight_layout()
    figure.savefig(folder / "routing-fairness.png", dpi=120)

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4))
    left.plot(*zip(*found["droppers"]), marker="o")
    left.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    left.set_xlabel("part of its jobs that an operator answers")
    left.set_ylabel("its share over that of one that answers all")
    right.plot(*zip(*found["liar"]["share"]))
    right.set_xlabel("epoch")
    right.set_ylabel("share of an operator of garbage")
    figure.tight_layout()
    figure.savefig(folder / "routing-attacks.png", dpi=120)
    return ["routing-fairness.png", "routing-attacks.png"]


def markdown(found, pictures):
    lines = ["# Routing, simulated", "",
             f"`./scripts/bench.sh routing` on {date.today()}. The scores, weights and trees are the "
             "pallet's own; seeds are fixed.", "",
             "## Fairness", "",
             "A crowd with stakes from the minimum to twice the cap, speeds over two orders of "
             "magnitude that swing together by 30 % and by 10 % at random, and one in ten that drops "
             "half of its jobs. Share against score, all equally busy.", "",
             "| operators | epochs | jobs | chi-square (degrees) | p | weights | draw | epoch |",
             "| ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: |"]
    for run in found["fairness"]:
        lines.append(
            f"| {run['operators']:,} | {run['epochs']:,} | {run['jobs']:,} "
            f"| {run['chi_square']:,.1f} ({run['degrees']:,}) | {run['p']:.3f} "
            f"| {run['min_weight']:.3f} to {run['max_weight']:.3f} "
            f"| {run['draw_ns'] / 1e3:.1f} µs | {run['epoch_us'] / 1e3:.2f} ms |")
    lines += ["", "A draw takes two operators; an epoch visits them all, which the chain spreads over "
              "its blocks. By its weight a draw that looks at 32 operators takes "
              f"{found['draw_block_share']:.3%} of what extrinsics may fill of a block, however many "
              "operators there are up to 32,768.", "",
              "## Splitting into ten", "",
              "Each with a tenth of the stake and, on a machine with little to do, all of the speed.",
              "Its part of all scores, and its part of 400,000 jobs while everyone is busy, by what its "
              "stake alone gives it.",
              "", "| other operators | gain in `Shares` | of jobs | gain in `Additive` |",
              "| ---: | ---: | ---: | ---: |"]
    for run in found["splitting"]:
        lines.append(f"| {run['others']} | {run['shares']:+.4%} | {run['busy']:+.2%} "
                     f"| {run['additive']:+.1%} |")
    liar = found["liar"]
    lines += ["", "## Liars and droppers", "",
              f"An operator that returns garbage at 3,000 tokens per second, half of the cap at stake and "
              f"a fiftieth of the cap as the bond of a job, is out after {liar['epochs_until_out']} "
              f"epochs and {liar['jobs']} jobs; the speed that it is credited with is "
              f"{liar['known_speed']:.0f}. One that shows "
              "ten times its speed and is never caught, by beginning before it accepts, gets "
              f"{found['hurrier']:.2f} times its share.", "",
              "| part of the jobs answered | share over that of one that answers all |",
              "| ---: | ---: |"]
    lines += [f"| {answers:.0%} | {share:.2f} |" for answers, share in found["droppers"]]
    lines += ["", "## The dead", "",
              "One in ten dies in some block of an epoch of 1,200 blocks. \"An epoch\" is its length "
              "and the 200 blocks that a heartbeat may take.", "",
              "| operators | died | jobs per block | jobs to the dead | after 1,200 blocks "
              "| after an epoch | last, blocks after the death |",
              "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for run in found["dead"]:
        lines.append(f"| {run['operators']:,} | {run['died']} | {run['jobs_per_block']} "
                     f"| {run['jobs']} | {run['after_length']} | {run['after_epoch']} "
                     f"| {run['last_block']} |")
    lines += [""] + [f"![{picture}]({picture})\n" for picture in pictures]
    return "\n".join(lines).rstrip() + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10_000, help="the most of one run (10000)")
    args = parser.parse_args()
    done = subprocess.run([str(SIMULATE), str(args.epochs)], stdout=subprocess.PIPE, text=True,
                          check=True)
    found = json.loads(done.stdout.strip().splitlines()[-1])
    OUT.mkdir(parents=True, exist_ok=True)
    text = markdown(found, plots(found, OUT))
    (OUT / "routing.md").write_text(text)
    print(text)
    print(json.dumps({
        "chi_square_p": round(min(run["p"] for run in found["fairness"]), 4),
        "splitting_gain": round(max(run["shares"] for run in found["splitting"]), 6) + 0.0,
        "splitting_gain_busy": round(max(run["busy"] for run in found["splitting"]), 4),
        "max_weight": round(max(run["max_weight"] for run in found["fairness"]), 4),
        "draw_block_share_10k": round(found["draw_block_share"], 6),
        "dead_operator_jobs_after_epoch": sum(run["after_epoch"] for run in found["dead"]),
    }))


if __name__ == "__main__":
    main()
