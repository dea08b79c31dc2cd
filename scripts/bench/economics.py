#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws what the example `economics` of the runtime has computed: what dishonest strategies earn, over what
honest work earns. Writes docs/bench/economics.md and its picture. Needs Python's matplotlib for that; without
it the tables alone are written. Ends with an error if the simulation contradicts the computation.
"""

import argparse
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

ROOT = Path(os.environ["ASSAY_ROOT"])
ECONOMICS = Path(os.environ["ASSAY_BIN"]) / "examples" / "economics"
OUT = ROOT / "docs" / "bench"

# Differences below this are rounding.
DUST = 1e-6


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def gains(row):
    """Whether the strategy earns more than the same accounts do if they are honest, at a smaller share than a
    fifth or without any."""
    above = row["above_honest"]
    return above is not None and above < 20 and not row["baseline"]


def percent(share):
    return "–" if share is None else "any" if share == 0 else f"{share} %"


def plot(found, folder):
    """A picture of the profits by share, and of wash trading."""
    try:
        import matplotlib
    except ImportError:
        say("without a picture: Python's matplotlib is missing (apt-get install python3-matplotlib)")
        return []
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4))
    for row in found["rows"]:
        if row["depends_on_share"]:
            left.plot([share[0] for share in row["shares"]], [share[1] for share in row["shares"]],
                      marker="o", markersize=3, linewidth=1, label=row["name"])
    left.axhline(1, color="grey", linewidth=0.8)
    left.axhline(0, color="grey", linewidth=0.8)
    left.set_xlabel("share of the pool and of the slots (%)")
    left.set_ylabel("profit per job (1 = an honest job)")
    left.legend(fontsize=8)
    right.plot([run["washed"] for run in found["washing"]],
               [run["profit"] for run in found["washing"]], marker="o", markersize=3)
    right.axhline(1, color="grey", linewidth=0.8)
    right.set_xlabel("jobs that an operator orders of itself in an hour")
    right.set_ylabel("its profit (1 = an honest operator)")
    right.set_ylim(bottom=0)
    figure.tight_layout()
    figure.savefig(folder / "economics.png", dpi=120)
    return ["economics.png"]


def warning(found):
    """The strategies that pay although they should not."""
    rows = [row for row in found["rows"] if gains(row)]
    lines = ["## What pays", "",
             "**These strategies earn more than the same accounts earn honestly, with less than 20 % of the "
             "pool.** The chain does not prevent them today.", "",
             "| strategy | profit | honest | from a share of | why it pays |",
             "| --- | ---: | ---: | ---: | --- |"]
    why = {
        "serving some verifiers": "verifiers that cannot fetch the text forfeit their fees, which stay with the "
                                  "operator",
        "lazy verifier": "a check costs more than its fee under these assumptions, and a seat is vacated for "
                         "nothing",
        "copying juror": "the committee has revealed the digest root, and nobody can tell whether a juror that "
                         "agrees has checked",
        "opportunistic framing": "to reject in a second look costs nothing where friends are the majority of "
                                 "the jury",
        "author grinding with small seats": "slots go by validator and not by stake",
        "withheld blocks, twice the slots": "the liar foresees the draws of most blocks of a span",
        "block stuffing by operators": "the worker keys of many operators fill the room for reports, and make "
                                       "others late",
        "late by authors": "an author need not include reports",
    }
    runs = next(run for run in found["runs"] if run["share"] == found["share"])
    why["late by authors"] += (f"; per job that is timed for such a run, of which there are {runs['runs_a_day']:.1f} "
                               f"a day at {runs['share']} %")
    lines += [f"| {row['name']} | {row['profit']:+.3f} | {row['honest']:+.3f} | {percent(row['above_honest'])} "
              f"| {why.get(row['name'], row['what'])} |" for row in rows]
    some = [row for row in found["rows"] if row["above_nothing"] is not None and row["above_nothing"] < 20
            and row not in rows and not row["baseline"] and row["above_nothing"] > 0]
    best = max(found["washing"], key=lambda run: run["profit"])
    if best["washed"] > 0:
        lines += [f"| wash trading | {best['profit']:+.3f} | +1.000 | any | an order can be withdrawn when "
                  "another operator was drawn for it, and a job of oneself costs no more than what is burnt "
                  "and its check |"]
    if some:
        lines += ["", "These earn less than honest work, but more than nothing, with less than 20 %: "
                  + ", ".join(f"{row['name']} (from {row['above_nothing']} %, {row['profit']:+.3f} at 20 %)"
                              for row in some) + "."]
    return lines


def markdown(found, pictures):
    lines = ["# Economics, simulated", "",
             f"`./scripts/bench.sh economics` on {date.today()}. Rules and amounts are the runtime's own: each "
             f"of {found['ends']:,} ways that a job can go was played once on a chain in memory with the "
             "default parameters. Expected profits are sums over all ways with their probabilities. "
             f"{found['jobs']:,} jobs of each strategy and share were then drawn with the runtime's own "
             "tickets, seeds and urns, and ended as those that were played; each mean is within three standard "
             "errors of the expected profit, or the program fails.", "",
             "Fees, fines and the parts of a bond are therefore measured and not modelled. The costs of work "
             "and the distribution of stake are [assumptions](#assumptions).", "",
             "All profits are multiples of the profit of an honest operator from one job, which is "
             f"{found['honest_profit']:.3f} ASY.", ""]
    lines += warning(found)
    lines += ["", "## Assumptions", "",
              "- The reference job has a prompt of 200 tokens, allows 1,000, and its honest output has 500. It "
              "costs 5.2 ASY at the prices of the development network.",
              f"- Honest work costs {found['honest_cost']:.0%} of its price. A model ten times smaller costs a "
              "tenth of that, a cheaper quantisation half, and what is not computed nothing. The last table "
              "has other costs.",
              f"- A check costs {found['check']:.0%} of the work that it checks: [the engine](engine.md) "
              "verifies 500 tokens some five times as fast as it generates them, on a processor. Members of "
              "a group that know what they vote for do no check.",
              f"- {found['pool']} operators of equal stake can be drawn, without the job's own. At a share of "
              "20 % twenty of them collude, and they author 20 % of the blocks.",
              "- Colluders know all seats of a panel before they vote, and lie only where that pays. Of the "
              "variants of a strategy the best is chosen at each share.",
              "- An honest verifier detects any wrong output, since it compares digests of all logits.",
              "- Operators have a record with which 13 % of their jobs are audited. Those without one are "
              "audited always.",
              "- Authors commit at a moment that comes once in a thousand blocks. Where they withhold blocks, "
              "they replace a block of others if they author the next two, and choose between 2^n panels if "
              "they author the last n blocks of a span, up to 4, which is more than they can.",
              "- Slots go by stake, but for \"small seats\" and \"twice the slots\": there, the group splits its "
              "stake into validators that have half of the average stake each, which is what a seat needs.",
              "- A client that wants the text values it at its price. Baits and wash trades have no other use.",
              "- Fees of extrinsics are those of quiet times; reports that the chain takes are free.",
              "", "## Strategies", "",
              f"At {found['share']} % of the pool. \"Honest\" is what the same accounts earn from the same job "
              "if they are honest: nothing, if they have no use for it. The last columns are the smallest "
              "shares, up to 50 %, from which a strategy earns more than that, and more than nothing.", "",
              "| strategy | who | | profit | simulated | honest | more than honest from "
              "| more than nothing from |",
              "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |"]
    for row in found["rows"]:
        what = row["what"] + (f" ({row['variant']})" if row["variant"] else "")
        lines.append(f"| {row['name']} | {row['who']} | {what} | {row['profit']:+.4f} "
                     f"| {row['simulated']:+.4f} | {row['honest']:+.4f} | {percent(row['above_honest'])} "
                     f"| {percent(row['above_nothing'])} |")
    shares = found["shares"]
    lines += ["", "## By share", "",
              "| strategy | " + " | ".join(f"{share} %" for share in shares) + " |",
              "| --- |" + " ---: |" * len(shares)]
    for row in found["rows"]:
        if row["depends_on_share"]:
            lines.append(f"| {row['name']} | "
                         + " | ".join(f"{share[1]:+.3f}" for share in row["shares"]) + " |")
    lines += ["", "Blocks of the 16 of a span that a group foresees at a moment that comes once in a thousand "
              "blocks, and once in a day, for which a job with a deadline of a day lets it wait; and how often "
              "in a day it authors five blocks in a row, in which a job with the shortest deadline is late.", "",
              "| share | foreseen | foreseen once in a day | five in a row, times a day |",
              "| ---: | ---: | ---: | ---: |"]
    lines += [f"| {run['share']} % | {run['foreseen']} | {run['foreseen_in_a_day']} | {run['runs_a_day']:.3f} |"
              for run in found["runs"]]
    normal, reports = found["full_block"]
    lines += ["", f"A block full of normal extrinsics costs {normal:.2f} ASY, and one full of failing reports "
              f"{reports:.2f} ASY and takes the worker keys of {found['stuffers']} operators. Five of these make every job with the shortest deadline late. The worker "
              "of a large model declines so short a deadline for a long output: it wants twice its time and four "
              "blocks more. An attacker then has to fill as many blocks as remain when the output is done, for "
              "as many jobs as are due, and runs of so many own blocks are rare. "
              f"A record with which 13 % of jobs are audited costs {found['record']:.2f} ASY.", "",
              "## Wash trading", "",
              "A hundred operators with the same stake and speed have twenty jobs an hour each. One orders jobs "
              "of 1,500 tokens and delivers those in one block for which it is drawn itself. It pays the price "
              "of the market, since only routed jobs are measured, and chooses them so that no more than half "
              "of the others could have them. It keeps the prompts from others that are drawn, and cancels "
              "these orders. An order that is declined because others have no room for it is not computed: it "
              "can be withdrawn for the fees alone. Speed counts in proportion to "
              "fees, and only audited jobs are measured. Computed "
              "with routing's own scores until nothing changes any more, and drawn with its urn.", "",
              "| washed jobs an hour | orders for each | cost of each, over an honest job's profit "
              "| share of jobs over an even one | profit over an honest operator's "
              "| simulated |", "| ---: | ---: | ---: | ---: | ---: | ---: |"]
    lines += [f"| {run['washed']} | {run['orders']:.1f} | {run['cost']:.3f} | {run['share']:.2f} "
              f"| {run['profit']:.2f} | {run['simulated']:.2f} |"
              for run in found["washing"]]
    parts = [margin[0] for margin in found["rows"][0]["margins"]]
    lines += ["", "## Other costs of honest work", "",
              "Profit, and in brackets what the same accounts earn honestly, if honest work costs another part "
              "of its price, each over an honest job's profit at that cost.", "",
              "| strategy | " + " | ".join(f"{part:.0%}" for part in parts) + " |",
              "| --- |" + " ---: |" * len(parts)]
    for row in found["rows"]:
        cells = [f"{profit:+.3f} ({honest:+.3f})" for _, profit, honest in row["margins"]]
        lines.append(f"| {row['name']} | " + " | ".join(cells) + " |")
    lines += [""] + [f"![{picture}]({picture})\n" for picture in pictures]
    return "\n".join(lines).rstrip() + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10_000,
                        help="simulated jobs of each strategy, at least 1000 (10000)")
    args = parser.parse_args()
    done = subprocess.run([str(ECONOMICS), str(args.jobs)], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(done.returncode)
    found = json.loads(done.stdout.strip().splitlines()[-1])
    OUT.mkdir(parents=True, exist_ok=True)
    text = markdown(found, plot(found, OUT))
    (OUT / "economics.md").write_text(text)
    print(text)
    names = {row["name"]: round(row["profit"], 6) + 0.0 for row in found["rows"]}
    names["wash trading"] = round(max(run["profit"] for run in found["washing"]), 6)
    print(json.dumps(names))


if __name__ == "__main__":
    main()
