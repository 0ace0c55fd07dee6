#!/usr/bin/env python3
"""Measures accuracy over K and Q on the four trained networks, all layers decomposed, full test sets.

    scripts/accuracy.py [--tool build/release/host/bdnn] [--methods data,paper] [--networks vgg,...] [--bases 1,2,...]
                        [--bits 2,3,...] [--table build/accuracy.tsv] [--markdown FILE]

One line a setting is appended to the table; settings that it holds already are not measured again, so a run can be stopped and
taken up. --markdown writes the tables of docs/accuracy.md from it.
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


def measure(tool, method, network, bases, bits, folder):
    """One row. One thread each: rows run side by side."""
    calibration, test = files_of(network)
    model, source = f"{folder}/{method}-{network}-{bases}-{bits}.bdnn", f"{DATA}/{network}.onnx"
    report = run([tool, "decompose", source, "-o", model, "--bases", str(bases), "--bits", str(bits), "--method", method,
                  "--calibrate", calibration, "--threads", "1", "--json", *PIXELS])
    exact, made = run([tool, "eval", source, test, "--compare", model, "--threads", "1", "--json", *PIXELS])["networks"]
    os.remove(model)
    score = (lambda n: 100 * n["mean_iou"]) if "mean_iou" in exact else (lambda n: n["top1_percent"])
    return [method, network, bases, bits, f"{score(exact):.2f}", f"{score(made):.2f}", f"{made['agreement_percent']:.2f}",
            f"{made['compression_percent']:.1f}", f"{report['seconds']:.1f}"]


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
    parser.add_argument("--markdown")
    arguments = parser.parse_args()
    methods, networks = arguments.methods.split(","), arguments.networks.split(",")
    done = {(r["method"], r["network"], int(r["K"]), int(r["Q"])) for r in read_table(arguments.table)}
    wanted = [(m, n, k, q) for m in methods for n in networks for k in arguments.bases for q in arguments.bits
              if (m, n, k, q) not in done]
    if not arguments.markdown:
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
            for row in pool.map(lambda w: measure(arguments.tool, *w, folder), wanted):
                with open(arguments.table, "a") as table:
                    table.write("\t".join(map(str, row)) + "\n")
                print(*row, flush=True)
    else:
        with open(arguments.markdown, "w") as out:
            out.write(markdown(read_table(arguments.table), methods, networks))


if __name__ == "__main__":
    main()
