/* bdnn, the command-line tool: the table of its subcommands. */
#include "cli/cli.h"

#include <string.h>

static const struct command {
    const char *name;
    cli_command *run;
    const char *summary, *help;
} commands[] = {
    {"convert", cli_convert, "write a network as a .bdnn file, in float",
     "bdnn convert NET -o OUT.bdnn [network options]\n"},
    {"decompose", cli_decompose, "decompose a network into binary bases, without retraining",
     "bdnn decompose NET -o OUT.bdnn --calibrate DATA [options] [network options]\n"
     "  --bases K, --bits Q       binary bases a weight and bits an input, 1 to 8 (6, 6)\n"
     "  --first K:Q, --last K:Q   the same for the first and the last layer with weights\n"
     "  --layer NAME:K:Q          the same for one layer; NAME:float keeps it as it is\n"
     "  --calibrate DATA          images (docs/datasets.md); labels are not used\n"
     "  --calibrate-count N       how many of them, evenly spread (512)\n"
     "  --method data|paper       data-aware (default), or the published family\n"
     "  --range auto|output|minmax|percentile|mse   how each input's range is chosen\n"
     "  --percentile P            for --range percentile (99.9)\n"
     "  --lambda L                ridge of the data-aware method (0.1)\n"
     "  --restarts N              of the paper's method (4)\n"
     "  --seed N, --threads N, --memory-limit MIB, --json\n"},
    {"info", cli_info, "show a network: layers, sizes, compression", "bdnn info NET [--json] [network options]\n"},
    {"run", cli_run, "classify or segment images",
     "bdnn run NET IMAGE... [options] [network options]\n"
     "  --device cpu|reference|float   (cpu)\n"
     "  --top N                        classes shown (5)\n"
     "  --overlay FILE.png, --index-map FILE.png   of a segmentation (IMAGE-overlay.png, IMAGE-classes.png)\n"
     "  --threads N, --json\n"},
    {"eval", cli_eval, "measure accuracy on a dataset, of one network or side by side",
     "bdnn eval NET DATASET [--compare NET2]... [options] [network options]\n"
     "  --dataset-labels FILE     labels, where they are not found by their name (docs/datasets.md)\n"
     "  --limit N                 the first N items\n"
     "  --device cpu|reference|float, --threads N, --batch N (32), --json\n"
     "  Network options apply to networks that bring no pre-processing of their own.\n"},
    {"export-npy", cli_export_npy, "write the parameters as a folder of .npy files",
     "bdnn export-npy NET DIR [network options]\n"},
    {"devices", cli_devices, "list the devices that networks can run on", "bdnn devices\n"},
};

#define COMMANDS (sizeof commands / sizeof *commands)

static const char network_options[] = "network options\n"
                                      "  NET is an ONNX file, a .bdnn file or a folder of .npy parameters.\n"
                                      "  --arch NAME               of a folder: alexnet, vgg16, resnet152 or segnet\n"
                                      "  --labels FILE             class names, one a line\n"
                                      "  --mean M[,M,M], --std S[,S,S]   input = (pixel - M) / S, pixels being 0..255\n"
                                      "  --unit                    M and S are for pixels of 0..1\n"
                                      "  --mean-image FILE.npy     (C,H,W), instead of --mean\n"
                                      "  --order rgb|bgr, --resize-short N (then the centre is cut out)\n"
                                      "  --keep-bn                 do not fold batch normalisation\n";

static int help(const char *name)
{
    for (size_t i = 0; i < COMMANDS && name; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            printf("%s\n%s", commands[i].help, network_options);
            return cli_finish(CLI_OK);
        }
    }
    printf("usage: bdnn COMMAND ...\n\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        printf("  %-12s %s\n", commands[i].name, commands[i].summary);
    }
    printf("\nbdnn help COMMAND shows a command's options.\n");
    return cli_finish(CLI_OK);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        help(NULL);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return help(argc > 2 ? argv[2] : NULL);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("bdnn %s\n", bdnn_version());
        return cli_finish(CLI_OK);
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, argv[1]) == 0) {
            return argc > 2 && strcmp(argv[2], "--help") == 0 ? help(argv[1])
                                                              : cli_finish(commands[i].run(argc - 1, argv + 1));
        }
    }
    fprintf(stderr, "bdnn: no command '%s'; 'bdnn help' lists them\n", argv[1]);
    return CLI_USAGE;
}
