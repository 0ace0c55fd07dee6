/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn, the command-line tool: the table of its subcommands. */
#include "cli/cli.h"

#include <string.h>

#define DEVICE_HELP                                                                                                    \
    "  --device NAME                  cpu (default), reference, float, xrt, xrt:INDEX, uio or uio:NAME\n"              \
    "  --xclbin FILE                  of xrt: the kernel (environment variable BDNN_XCLBIN)\n"                         \
    "  --timeout MS                   of xrt and uio: limit for one run of the kernel (60000)\n"                       \
    "  --wait poll|interrupt|hybrid   of uio: how to wait for its end (hybrid)\n"
#define FALLBACK_HELP "  --fallback cpu                 go on with the CPU when the device fails\n"

static const struct command {
    const char *name;
    cli_command *run;
    const char *summary, *help;
} commands[] = {
    {"convert", cli_convert, "write a network as a .bdnn file, in float",
     "bdnn convert NET -o OUT.bdnn [network options]\n"},
    {"decompose", cli_decompose, "decompose a network into binary bases, without retraining",
     "bdnn decompose NET -o OUT.bdnn --calibrate DATA [options] [network options]\n"
     "  --bases K, --bits Q       bases of a weight vector, bits of a layer's input: 1 to 8 (6, 6)\n"
     "  --first K:Q, --last K:Q   the same for the first and the last layer with weights\n"
     "  --layer NAME:K:Q          the same for one layer; NAME:float keeps it in float\n"
     "  --calibrate DATA          images (docs/use/datasets.md); labels are not used\n"
     "  --calibrate-count N       how many of them to use, evenly spread (512)\n"
     "  --skip-bad N|all          skip up to N images that cannot be read (0)\n"
     "  --method data|paper       data-aware (default), or by the weights alone as published\n"
     "  --range auto|output|minmax|percentile|mse   how each input's range is chosen\n"
     "  --percentile P            of --range percentile (99.9)\n"
     "  --lambda L                ridge regularization of the data-aware method (0.1)\n"
     "  --restarts N              random starts of the paper's method (4)\n"
     "  --seed N, --threads N, --memory-limit MIB, --json\n"},
    {"info", cli_info, "show a network: layers, sizes, compression",
     "bdnn info NET [--json] [--device NAME] [network options]\n"
     "  --device NAME                  also what each run transfers to and from that accelerator\n"},
    {"run", cli_run, "classify or segment images",
     "bdnn run NET IMAGE... [options] [network options]\n" DEVICE_HELP FALLBACK_HELP
     "  --top N                        classes shown (5)\n"
     "  --overlay FILE.png, --class-map FILE.png   of a segmentation (IMAGE-overlay.png, IMAGE-classes.png)\n"
     "  --skip-bad N|all               skip up to N images that cannot be read (0)\n"
     "  --threads N, --json\n"},
    {"eval", cli_eval, "measure accuracy on a dataset, of one network or of several side by side",
     "bdnn eval NET DATASET [--compare NET2]... [options] [network options]\n"
     "  --dataset-labels FILE     labels, where they are not found by their name (docs/use/datasets.md)\n"
     "  --limit N                 the first N items only\n"
     "  --skip-bad N|all          skip up to N images that cannot be read (0)\n" DEVICE_HELP FALLBACK_HELP
     "  --threads N, --batch N (32), --json\n"
     "  Network options apply to networks that bring no pre-processing of their own.\n"},
    {"bench", cli_bench, "measure each layer and compare it with the machine's peak rates",
     "bdnn bench NET [options] [network options]\n" DEVICE_HELP "  --threads N (1), --batch N (1)\n"
     "  --repeat N                     timed runs, after two that are not timed (20)\n"
     "  --all                          also fused layers, which the layer before them computes\n"
     "  --json\n"},
    {"compare", cli_compare, "run one network on several devices: compare outputs, times and bytes moved",
     "bdnn compare NET [options] [network options]\n"
     "  --devices NAME,NAME...         (cpu,xrt)\n"
     "  --xclbin FILE, --timeout MS, --wait HOW   of accelerators, as for run\n"
     "  --batch N (1), --threads N (1), --repeat N (5)\n"
     "  --images DATA                  the first images of a dataset as input (noise)\n"
     "  --clock MHZ                    clock for predictions (the xclbin's)\n"
     "  --html FILE                    a page with plots\n"
     "  --json\n"},
    {"export-npy", cli_export_npy, "write the parameters as a folder of .npy files",
     "bdnn export-npy NET DIR [network options]\n"},
    {"devices", cli_devices, "list the devices that networks can run on",
     "bdnn devices [--xclbin FILE] [--launches N] [--json]\n"
     "  --launches N              time N launches of the smallest job on each accelerator\n"},
};

#define COMMANDS (sizeof commands / sizeof *commands)

static const char network_options[] =
    "network options\n"
    "  NET is an ONNX file, a .bdnn file or a folder of .npy parameters.\n"
    "  --arch NAME               of a folder: alexnet, vgg16, resnet152 or segnet\n"
    "  --labels FILE             class names, one a line\n"
    "  --mean M[,M,M], --std S[,S,S]   input = (pixel - M) / S, for pixels of 0..255\n"
    "  --unit                    M and S are for pixels of 0..1\n"
    "  --mean-image FILE.npy     (C,H,W), instead of --mean\n"
    "  --order rgb|bgr           channel order of the network (rgb)\n"
    "  --resize-short N          resize the shorter side to N pixels, then crop the center\n"
    "  --no-exif                 photographs as stored, not turned as EXIF says\n"
    "  --keep-bn                 do not fold batch normalization\n";

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    fprintf(stderr, "bdnn: no command '%s'; 'bdnn help' lists them\n", name);
    return NULL;
}

static void list_commands(FILE *stream)
{
    fprintf(stream, "usage: bdnn COMMAND ...\n\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(stream, "  %-12s %s\n", commands[i].name, commands[i].summary);
    }
    fprintf(stream, "\nbdnn help COMMAND shows a command's options.\n");
}

static int help(const char *name)
{
    const struct command *command = name ? find(name) : NULL;
    if (name && !command) {
        return CLI_USAGE;
    }
    if (!command) {
        list_commands(stdout);
    } else {
        printf("%s%s%s", command->help, command->run == cli_devices ? "" : "\n",
               command->run == cli_devices ? "" : network_options);
    }
    return CLI_OK;
}

/* --help anywhere before "--". */
static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            return true;
        }
    }
    return false;
}

static int run(int argc, char **argv)
{
    const struct command *command;
    if (strcmp(argv[0], "help") == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
        return help(argc > 1 ? argv[1] : NULL);
    }
    if (strcmp(argv[0], "--version") == 0) {
        printf("bdnn %s\n", bdnn_version());
        return CLI_OK;
    }
    command = find(argv[0]);
    if (!command) {
        return CLI_USAGE;
    }
    return asks_for_help(argc, argv) ? help(argv[0]) : command->run(argc, argv);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        list_commands(stderr);
        return CLI_USAGE;
    }
    cli_handle_signals();
    cli_watch_memory();
    return cli_leave(cli_finish(run(argc - 1, argv + 1)));
}
