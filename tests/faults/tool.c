/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenarios of the command-line tool. */
#include "scenario.h"

const scenario tool_scenarios[] = {
    {.name = "info", .command = "info IN/dec.bdnn"},
    {.name = "info_json", .command = "info IN/dec.bdnn --json"},
    {.name = "convert",
     .command = "convert IN/net.onnx -o OUT/result.bdnn --labels IN/labels.txt --mean-image IN/mean.npy",
     .outputs = {"result.bdnn"}},
    {.name = "decompose",
     .command = "decompose IN/net.bdnn -o OUT/result.bdnn --bases 2 --bits 4 --calibrate IN/classes --threads 2",
     .outputs = {"result.bdnn"},
     .timed = true},
    {.name = "decompose_json",
     .command = "decompose IN/net.bdnn -o OUT/result.bdnn --bases 1 --bits 2 --calibrate "
                "IN/set/zipped-images-idx3-ubyte.gz --threads 2 --json",
     .outputs = {"result.bdnn"},
     .timed = true},
    {.name = "run", .command = "run IN/dec.bdnn IN/pictures/color.png IN/pictures/baseline.jpg --threads 2"},
    {.name = "run_json", .command = "run IN/dec.bdnn IN/pictures/color.png IN/pictures/color.ppm --threads 2 --json"},
    {.name = "run_map",
     .command =
         "run IN/segdec.bdnn IN/pictures/color.png --overlay OUT/overlay.png --class-map OUT/map.png --threads 1",
     .outputs = {"overlay.png", "map.png"}},
    {.name = "eval",
     .command = "eval IN/net.bdnn IN/classes --compare IN/dec.bdnn --batch 2 --threads 2",
     .timed = true},
    {.name = "eval_json",
     .command = "eval IN/seg.bdnn IN/set/maps-images.idx3-ubyte.gz --compare IN/segdec.bdnn --threads 2 --json",
     .timed = true},
    {.name = "compare",
     .command = "compare IN/dec.bdnn --devices cpu,reference --repeat 1 --html OUT/page.html",
     .outputs = {"page.html"},
     .timed = true,
     .slow = true}, /* it measures the machine's peaks */
    {.name = "compare_json",
     .command = "compare IN/dec.bdnn --devices cpu,float --repeat 1 --images IN/flat --json",
     .timed = true},
    {.name = "export_npy", .command = "export-npy IN/dec.bdnn OUT/parameters"},
    {.name = NULL},
};
