# SPDX-License-Identifier: BSD-2-Clause
"""What bench-peers --layers measures: each network's layers by `bdnn bench`, with one and two threads and with AVX-512 VNNI in place of AMX,
in turns; docs/benchmarks/layers.md."""
import json
import os
import statistics
import subprocess

VARIANTS = {"one": (1, None), "two": (2, None), "vnni": (1, "avx512")}
SETTING = (3, 6)
VNNI = "VPDPBUSD zmm"


def bench(tool, model, variant):
    threads, level = VARIANTS[variant]
    environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "BDNN_CPU")}
    if level:
        environment["BDNN_CPU"] = level
    command = ["taskset", "-c", ",".join(map(str, range(threads))), tool, "bench", model, "--threads", str(threads), "--json"]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment).stdout)


def measure(tool, model, rounds, say):
    """By variant: the machine, the median time of a run, and of each layer."""
    runs = {v: [] for v in VARIANTS}
    for number in range(rounds):
        say(f"{os.path.basename(model)}: layers, round {number + 1} of {rounds}")
        for v in VARIANTS:
            runs[v].append(bench(tool, model, v))
    result = {}
    for v, each in runs.items():
        start = [sum(r["start_up_ms"][k] for k in ("load", "make_ready", "first_run")) - r["start_up_ms"]["file"] for r in each]
        result[v] = {"ms": statistics.median(r["ms"] for r in each), "machine": each[0]["machine"],
                     "start_up_runs": statistics.median(s / r["ms"] for s, r in zip(start, each)),
                     "layers": [dict(l, ms=statistics.median(r["layers"][i]["ms"] for r in each))
                                for i, l in enumerate(each[0]["layers"])]}
    return result


def peak(run, instruction):
    return next((p["multiply_adds_per_second"] for p in run["machine"]["peaks"] if p["instruction"] == instruction), None)


def groups(result):
    """Layers that multiply, those of the same sizes together: [(name, operation, output, [index, ...])]."""
    found = {}
    for i, l in enumerate(result["one"]["layers"]):
        if "bases" in l and l["kernel"] != "fused":
            key = (l["operation"], tuple(l["output_shape"]), l["multiply_adds"], l["input_bytes"], l["output_bytes"])
            found.setdefault(key, []).append(i)
    return [(result["one"]["layers"][g[0]]["name"], k[0], "x".join(map(str, k[1][1:])), g) for k, g in found.items()]


def rate(run, group):
    """G multiply-adds a second."""
    return sum(run["layers"][i]["multiply_adds"] for i in group) / sum(run["layers"][i]["ms"] for i in group) / 1e6


def moved(layer):
    return (layer["weight_bytes"] + layer["input_bytes"] + layer["output_bytes"]) / 1e6


def row(result, name, operation, output, group):
    one, two, vnni = (result[v] for v in ("one", "two", "vnni"))
    ms = {v: sum(result[v]["layers"][i]["ms"] for i in group) for v in VARIANTS}
    first, limit = one["layers"][group[0]], peak(vnni, VNNI) / 1e9
    bytes_a_second = sum(moved(one["layers"][i]) for i in group) / ms["one"]
    cells = [name + (f" and {len(group) - 1} more" if len(group) > 1 else ""), operation, output, f"{ms['one']:.3f}",
             f"{rate(one, group):.0f}", f"{rate(one, group) / limit:.2f}", f"{rate(vnni, group) / limit:.2f}", f"{moved(first):.2f}",
             f"{bytes_a_second:.0f}", f"{ms['one'] / ms['two']:.2f}"]
    return "| " + " | ".join(cells) + " |"


def table(title, result):
    one, two = result["one"], result["two"]
    lines = [f"## {title}", "", "| layer | operation | output | ms | G MAC/s | of VPDPBUSD's peak | the same, AVX-512 VNNI | MB moved | GB/s moved "
             "| one / two threads |", "| --- | --- | --- |" + " ---: |" * 7]
    lines += [row(result, *g) for g in groups(result)]
    lines += ["", f"All: {one['ms']:.2f} ms, two threads {two['ms']:.2f} ms ({one['ms'] / two['ms']:.2f}); AVX-512 VNNI {result['vnni']['ms']:.2f} ms. "
              f"Start-up less reading the file once: {one['start_up_runs']:.2f} runs, two threads {two['start_up_runs']:.2f}. "
              f"Peaks: VPDPBUSD {peak(result['vnni'], VNNI) / 1e9:.0f} G MAC/s, TDPBUSD {(peak(one, 'TDPBUSD') or 0) / 1e9:.0f}; reading as much as a run "
              f"{one['machine']['read_bytes_per_second'] / 1e9:.1f} GB/s, two threads {two['machine']['read_bytes_per_second'] / 1e9:.1f}.", ""]
    return lines


def write(results, path):
    """results: {title: what measure returned}"""
    lines = ["# Layer by layer", "", "Written by `scripts/bench-peers --layers`: `bdnn bench`, (K, Q) = (%d, %d), batch 1, in turns with one thread, with two, and with "
             "AVX-512 VNNI in place of AMX; medians. Layers of the same sizes share a row. What is moved: weights as the kernel keeps them, inputs "
             "and outputs. [README.md](README.md) says what the figures mean." % SETTING, ""]
    for title, result in results.items():
        lines += table(title, result)
    with open(path, "w") as file:
        file.write("\n".join(lines))
