# SPDX-License-Identifier: BSD-2-Clause
"""The kept results of bench-peers as docs/benchmarks/peers.md, .json and a plot for each network and number of threads."""
import glob
import json
import os
from xml.sax.saxutils import escape

ORDER = ["alexnet", "vgg16", "resnet152", "segnet"]
TITLES = {"alexnet": "AlexNet", "vgg16": "VGG-16", "resnet152": "ResNet-152", "segnet": "SegNet"}
RIVALS = ["ONNX Runtime fp32", "ONNX Runtime int8", "OpenCV fp32"]
HELD_BACK_RIVALS = ["oneDNN int8 layers"]


def load(folder):
    records = []
    for path in glob.glob(os.path.join(folder, "result-*.json")):
        with open(path) as file:
            records.append(json.load(file))
    return sorted(records, key=lambda r: (bool(r.get("level")), ORDER.index(r["network"]), r["threads"]))


def is_ours(name):
    return name.startswith("bdnn (")


def ratio(record, rival, name, key):
    peers = record["peers"]
    if rival not in peers or not is_ours(name):
        return ""
    return f"{peers[rival][key] / peers[name][key]:.2f}"


def heading(record):
    return f"{TITLES[record['network']]}, {record['threads']} thread{'s' * (record['threads'] > 1)}{', AVX2 alone' if record.get('level') else ''}"


def table(record):
    """Times, their spread, ratios and memory of all peers."""
    rivals = HELD_BACK_RIVALS if record.get("level") else RIVALS
    lines = ["| | median ms | quartiles | least | " + " | ".join("against " + r for r in rivals) +
             " | peak memory, MB | before loading | memory of ONNX Runtime fp32 / own | first result, ms | likeness |",
             "| --- |" + " ---: |" * (8 + len(rivals))]
    for name, p in record["peers"].items():
        like = "" if p["likeness"] is None else f"{p['likeness']:.3f}"
        cells = [name, f"{p['ms']:.2f}", f"{p['ms_lower_quartile']:.2f} - {p['ms_upper_quartile']:.2f}", f"{p['ms_least']:.2f}",
                 *(ratio(record, rival, name, "ms") for rival in rivals), f"{p['peak_bytes'] / 1e6:.0f}", f"{p['base_bytes'] / 1e6:.0f}",
                 ratio(record, RIVALS[0], name, "peak_bytes"), f"{p['load_ms']:.0f}", like]
        lines.append("| " + " | ".join(cells) + " |")
    lines += [f"| {name} | cannot: {message.replace('|', ' ')[:120]} |" for name, message in record["failed"].items()]
    return lines


def notes(record):
    m = record["machine"]
    lines = [f"{m['processor']}, {m['processors']} processors, Linux {m['system']}; {m['date']}, bdnn {m['revision']}, ONNX Runtime "
             f"{m['onnxruntime']}, OpenCV {m['opencv']}, oneDNN {m['onednn']}; {record['rounds']} rounds; load of the machine at the end "
             f"{m['load']:.1f}."]
    if record["int8_operators"]:
        lines.append("ONNX Runtime int8 ran: " + ", ".join(f"{n} {c}" for n, c in sorted(record["int8_operators"].items())) + ".")
    return lines


def plot(record):
    """Bars of the median times, ours in color, as SVG."""
    peers = sorted(record["peers"].items(), key=lambda item: item[1]["ms"])
    widest = max(p["ms"] for _, p in peers)
    row, left, bar, height = 22, 170, 480, 22 * len(peers) + 40
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + bar + 90} {height}" font-family="sans-serif" font-size="12">',
             f'<rect width="100%" height="100%" fill="white"/><text x="8" y="20" font-weight="bold">{heading(record)}: milliseconds</text>']
    for i, (name, p) in enumerate(peers):
        y, width = 32 + row * i, max(1.0, bar * p["ms"] / widest)
        color = "#0b7a75" if is_ours(name) else "#c9ced6" if "layers" in name else "#8a94a6"
        parts.append(f'<text x="{left - 6}" y="{y + 14}" text-anchor="end">{escape(name)}</text>'
                     f'<rect x="{left}" y="{y}" width="{width:.1f}" height="{row - 5}" fill="{color}"/>'
                     f'<text x="{left + width + 5:.1f}" y="{y + 14}">{p["ms"]:.1f}</text>')
    return "\n".join([*parts, "</svg>", ""])


def write(results, folder):
    records = load(results)
    if not records:
        raise SystemExit("bench-peers: nothing was measured yet")
    os.makedirs(folder, exist_ok=True)
    lines = ["# Beside other runtimes", "", "Written by `scripts/bench-peers`; [README.md](README.md) says how it measures.", ""]
    for record in records:
        picture = f"{record['network']}-{record['threads']}{'-avx2' if record.get('level') else ''}.svg"
        with open(os.path.join(folder, picture), "w") as file:
            file.write(plot(record))
        lines += [f"## {heading(record)}", "", f"![{heading(record)}]({picture})", "", *table(record), "", *notes(record), ""]
    with open(os.path.join(folder, "peers.md"), "w") as file:
        file.write("\n".join(lines))
    with open(os.path.join(folder, "peers.json"), "w") as file:
        json.dump(records, file, indent=1)
        file.write("\n")
