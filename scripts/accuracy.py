#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures accuracy over K and Q on the four trained networks, all layers decomposed, full test sets.

    scripts/accuracy.py [--tool build/release/host/bdnn] [--methods data,paper] [--networks vgg,...] [--bases 1,2,...]
                        [--bits 2,3,...] [--jobs N] [--table build/accuracy.tsv] [--markdown FILE]

One line a setting is appended to the table; settings that it holds already are not measured again, so a run can be stopped and
taken up. --markdown writes the tables of docs/use/accuracy.md from it.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "data")
FASHION = "/usr/share/datasets/fashion-mnist"
PIXELS = ["--mean", "0.2860", "--std", "0.3530", "--unit"]
FIELDS = ["method", "network", "K", "Q", "float", "decomposed", "agreement", "saved", "seconds"]


def files_of(network):
    """(calibration images, test images)"""
    if network == "segnet":
        return f"{DATA}/segcalibrate-images.idx3-ubyte.gz", f"{DATA}/segtest-images.idx3-ubyte.gz"
    return f"{FASHION}/train-images-idx3-ubyte.gz", f"{FASHION}/t10k-images-idx3-ubyte.gz"


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout)


def measure(tool, method, network, bases, widths, folder):
    """A row for each Q of `widths`; the float network is run once for all of them. One thread: groups run side by side."""
    calibration, test = files_of(network)
    source, models, seconds = f"{DATA}/{network}.onnx", [], []
    for bits in widths:
        models.append(f"{folder}/{method}-{network}-{bases}-{bits}.bdnn")
        seconds.append(run([tool, "decompose", source, "-o", models[-1], "--bases", str(bases), "--bits", str(bits), "--method",
                            method, "--calibrate", calibration, "--threads", "1", "--json", *PIXELS])["seconds"])
    compared = [word for model in models for word in ("--compare", model)]
    exact, *made = run([tool, "eval", source, test, *compared, "--threads", "1", "--json", *PIXELS])["networks"]
    for model in models:
        os.remove(model)
    score = (lambda n: 100 * n["mean_iou"]) if "mean_iou" in exact else (lambda n: n["top1_percent"])
    return [[method, network, bases, bits, f"{score(exact):.2f}", f"{score(m):.2f}", f"{m['agreement_percent']:.2f}",
             f"{m['compression_percent']:.1f}", f"{s:.1f}"] for bits, m, s in zip(widths, made, seconds)]


def read_table(path):
    if not os.path.exists(path):
        return []
    return [dict(zip(FIELDS, line.rstrip("\n").split("\t"))) for line in open(path)]


def markdown(rows, methods, networks):
    """A table a method: drop in points (agreement in %) for each K, Q."""
    text = []
    for method in methods:
        mine = {(r["network"], int(r["K"]), int(r["Q"])): r for r in rows if r["method"] == method}
        text += [f"### `--method {method}`: drop in points (agreement with the float network in %)\n",
                 "| K | Q | " + " | ".join(networks) + " |", "| --- | --- |" + " --- |" * len(networks)]
        for bases, bits in sorted({key[1:] for key in mine}):
            cells = []
            for network in networks:
                r = mine.get((network, bases, bits))
                cells.append(f"{float(r['float']) - float(r['decomposed']):.2f} ({r['agreement']})" if r else "")
            text.append(f"| {bases} | {bits} | " + " | ".join(cells) + " |")
        text.append("")
    return "\n".join(text)


def numbers(text):
    return [int(n) for n in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default="build/release/host/bdnn")
    parser.add_argument("--methods", default="data,paper")
    parser.add_argument("--networks", default="alexnet,vgg,resnet,segnet")
    parser.add_argument("--bases", type=numbers, default=[1, 2, 3, 4, 5, 6, 8])
    parser.add_argument("--bits", type=numbers, default=[2, 3, 4, 6, 8])
    parser.add_argument("--table", default="build/accuracy.tsv")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--markdown")
    arguments = parser.parse_args()
    methods, networks = arguments.methods.split(","), arguments.networks.split(",")
    done = {(r["method"], r["network"], int(r["K"]), int(r["Q"])) for r in read_table(arguments.table)}
    wanted = [(m, n, k, [q for q in arguments.bits if (m, n, k, q) not in done])
              for m in methods for n in networks for k in arguments.bases]
    if not arguments.markdown:
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(arguments.jobs) as pool:
            for rows in pool.map(lambda w: measure(arguments.tool, *w, folder), [w for w in wanted if w[3]]):
                with open(arguments.table, "a") as table:
                    table.writelines("\t".join(map(str, row)) + "\n" for row in rows)
                for row in rows:
                    print(*row, flush=True)
    else:
        with open(arguments.markdown, "w") as out:
            out.write(markdown(read_table(arguments.table), methods, networks))


if __name__ == "__main__":
    main()
