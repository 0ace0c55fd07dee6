/* SPDX-License-Identifier: BSD-2-Clause */
/* The results of `bdnn compare` as a page of its own: tables, bars of the layers' times and rooflines as inline SVG. */
#define _POSIX_C_SOURCE 200809L
#include "cli/compare_html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const colors[COMPARE_MAX_DEVICES] = {"#3366aa", "#cc6633", "#338855",
                                                        "#884499", "#888822", "#555555"};

/* Names come from files. Bytes that are not ASCII pass: the page is UTF-8. */
static void put_text(FILE *f, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", f);
            break;
        case '>':
            fputs("&gt;", f);
            break;
        case '&':
            fputs("&amp;", f);
            break;
        case '"':
            fputs("&quot;", f);
            break;
        default:
            fputc((unsigned char)*text < ' ' ? '?' : *text, f);
        }
    }
}

static const char style[] =
    "body{font:15px/1.45 sans-serif;color:#222;max-width:60em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;margin:1em 0}td,th{padding:.2em .7em;text-align:right;border-bottom:1px solid #ddd}"
    "td:first-child,th:first-child{text-align:left}h2{margin-top:2em}svg text{font:11px sans-serif;fill:#222}"
    ".note{color:#666}";

static void put_devices(FILE *f, const compare_results *c)
{
    fputs("<table><tr><th>device<th>images/s<th>ms a run<th>min<th>max<th>kB to device<th>kB from device<th>outputs",
          f);
    for (size_t i = 0; i < c->count; i++) {
        const compare_device *d = &c->devices[i];
        const bdnn_accelerator_cost *a = &d->total.cost.accelerator;
        fputs("<tr><td>", f);
        put_text(f, d->bench.device.name);
        fprintf(f, "<td>%.4g<td>%.3f<td>%.3f<td>%.3f", 1e3 * (double)c->batch / d->run_ms.median, d->run_ms.median,
                d->run_ms.min, d->run_ms.max);
        if (d->info.accelerator) {
            fprintf(f, "<td>%.1f<td>%.1f", 1e-3 * (double)a->bytes_to_device, 1e-3 * (double)a->bytes_from_device);
        } else {
            fputs("<td><td>", f);
        }
        if (i == 0) {
            fputs("<td>", f);
        } else if (d->different) {
            fprintf(f, "<td>%llu of %llu differ", (unsigned long long)d->different, (unsigned long long)c->values);
        } else {
            fprintf(f, "<td>equal to %s, bit for bit", c->devices->bench.device.name);
        }
    }
    fputs("</table>\n", f);
}

/* ---- Bars ---- */

enum { LABELS = 220, WIDTH = 900, BAR = 10 };

static double max_ms(const compare_results *c)
{
    double most = 0;
    for (size_t d = 0; d < c->count; d++) {
        for (size_t l = 0; l < c->layers; l++) {
            most = c->devices[d].cells[l].ms > most ? c->devices[d].cells[l].ms : most;
        }
    }
    return most;
}

static bool is_shown(const compare_results *c, size_t layer, double most)
{
    for (size_t d = 0; d < c->count; d++) {
        if (c->devices[d].cells[layer].ms > most / 1000) {
            return true;
        }
    }
    return false;
}

static void put_layer_bars(FILE *f, const compare_results *c, size_t layer, double most, double y)
{
    fprintf(f, "<text x=\"%d\" y=\"%g\" text-anchor=\"end\">", LABELS - 6, y + BAR - 1);
    put_text(f, c->info[layer].name);
    fputs("</text>", f);
    for (size_t d = 0; d < c->count; d++) {
        const double ms = c->devices[d].cells[layer].ms, width = ms / most * (WIDTH - LABELS - 80);
        fprintf(
            f,
            "<rect x=\"%d\" y=\"%g\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/><text x=\"%.1f\" y=\"%g\">%.3f</text>",
            LABELS, y, width, BAR - 1, colors[d], LABELS + width + 4, y + BAR - 1, ms);
        y += BAR;
    }
}

static void put_bars(FILE *f, const compare_results *c)
{
    const double most = max_ms(c), step = (double)c->count * BAR + 6;
    size_t shown = 0;
    double y = 4;
    if (most <= 0) {
        return;
    }
    for (size_t l = 0; l < c->layers; l++) {
        shown += is_shown(c, l, most);
    }
    fputs("<h2>Milliseconds of each layer</h2><p>", f);
    for (size_t d = 0; d < c->count; d++) {
        fprintf(f, "<span style=\"color:%s\">&#9632;</span> ", colors[d]);
        put_text(f, c->devices[d].bench.device.name);
        fputs("&emsp;", f);
    }
    fprintf(f, "</p>\n<svg viewBox=\"0 0 %d %g\" width=\"100%%\">", WIDTH, (double)shown * step + 8);
    for (size_t l = 0; l < c->layers; l++) {
        if (is_shown(c, l, most)) {
            put_layer_bars(f, c, l, most, y);
            y += step;
        }
    }
    fputs("</svg>\n", f);
}

/* ---- Rooflines ---- */

/* Work over what is moved for it, and work done over time: points below the lower of two roofs. */
typedef struct roofline {
    const char *x_title, *y_title;
    double peak;  /* work over time */
    double slope; /* what is moved over time; 0: not known */
    size_t count;
    struct point {
        double x, y;
        size_t layer;
    } * points;
} roofline;

/* More names than these would hide each other. */
enum { MAX_LABELS = 24 };

enum { PLOT_LEFT = 70, PLOT_TOP = 12, PLOT_WIDTH = 640, PLOT_HEIGHT = 300 };

/* A logarithmic axis over whole decades. */
typedef struct axis {
    double low, high; /* exponents of 10 */
} axis;

static void widen(axis *a, double value)
{
    if (value > 0) {
        const double below = floor(log10(value)), above = ceil(log10(value));
        a->low = a->low > a->high || below < a->low ? below : a->low;
        a->high = a->low > a->high || above > a->high ? above : a->high;
    }
}

static double place(const axis *a, double value, double size)
{
    const double at = (log10(value) - a->low) / (a->high - a->low);
    return size * (at < 0 ? 0 : at > 1 ? 1 : at);
}

static double x_at(const axis *x, double value)
{
    return PLOT_LEFT + place(x, value, PLOT_WIDTH);
}

static double y_at(const axis *y, double value)
{
    return PLOT_TOP + PLOT_HEIGHT - place(y, value, PLOT_HEIGHT);
}

static void put_axes(FILE *f, const roofline *r, const axis *x, const axis *y)
{
    fprintf(f, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#999\"/>", PLOT_LEFT,
            PLOT_TOP, PLOT_WIDTH, PLOT_HEIGHT);
    for (int e = (int)x->low; e <= (int)x->high; e++) {
        fprintf(f, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>", x_at(x, pow(10, e)),
                PLOT_TOP + PLOT_HEIGHT + 14, pow(10, e));
    }
    for (int e = (int)y->low; e <= (int)y->high; e++) {
        fprintf(f, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>", PLOT_LEFT - 5, y_at(y, pow(10, e)) + 4,
                pow(10, e));
    }
    fprintf(f,
            "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text><text x=\"14\" y=\"%d\" transform=\"rotate(-90 14 "
            "%d)\" "
            "text-anchor=\"middle\">%s</text>",
            PLOT_LEFT + PLOT_WIDTH / 2, PLOT_TOP + PLOT_HEIGHT + 32, r->x_title, PLOT_TOP + PLOT_HEIGHT / 2,
            PLOT_TOP + PLOT_HEIGHT / 2, r->y_title);
}

static void put_roofs(FILE *f, const roofline *r, const axis *x, const axis *y)
{
    const double ridge = r->slope > 0 ? r->peak / r->slope : pow(10, x->low);
    const double first = pow(10, x->low), start = first > ridge ? first : ridge;
    if (r->slope > 0 && ridge > first && r->slope * ridge > pow(10, y->low)) {
        const double from = pow(10, y->low) / r->slope > first ? pow(10, y->low) / r->slope : first;
        fprintf(f, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#c33\" fill=\"none\"/>", x_at(x, from),
                y_at(y, r->slope * from), x_at(x, ridge), y_at(y, r->peak));
    }
    fprintf(f, "<path d=\"M%.1f %.1fL%d %.1f\" stroke=\"#c33\" fill=\"none\"/>", x_at(x, start), y_at(y, r->peak),
            PLOT_LEFT + PLOT_WIDTH, y_at(y, r->peak));
}

static void put_roofline(FILE *f, const compare_results *c, const roofline *r, const char *color)
{
    axis x = {1, 0}, y = {1, 0};
    for (size_t i = 0; i < r->count; i++) {
        widen(&x, r->points[i].x);
        widen(&y, r->points[i].y);
    }
    if (!r->count || r->peak <= 0) {
        return;
    }
    widen(&y, r->peak);
    widen(&x, r->slope > 0 ? r->peak / r->slope : 0);
    x.high += x.high == x.low;
    y.high += y.high == y.low;
    fprintf(f, "<svg viewBox=\"0 0 %d %d\" width=\"100%%\">", PLOT_LEFT + PLOT_WIDTH + 20, PLOT_TOP + PLOT_HEIGHT + 40);
    put_axes(f, r, &x, &y);
    put_roofs(f, r, &x, &y);
    for (size_t i = 0; i < r->count; i++) {
        const struct point *p = &r->points[i];
        fprintf(f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\" fill-opacity=\".75\"><title>", x_at(&x, p->x),
                y_at(&y, p->y), color);
        put_text(f, c->info[p->layer].name);
        fprintf(f, ": %.4g, %.4g</title></circle>", p->x, p->y);
        if (r->count <= MAX_LABELS) {
            fprintf(f, "<text x=\"%.1f\" y=\"%.1f\">", x_at(&x, p->x) + 6, y_at(&y, p->y) - 4);
            put_text(f, c->info[p->layer].name);
            fputs("</text>", f);
        }
    }
    fputs("</svg>\n", f);
}

static void add_point(roofline *r, size_t layer, double work, double moved, double time)
{
    if (work > 0 && moved > 0 && time > 0) {
        r->points[r->count++] = (struct point){work / moved, work / time, layer};
    }
}

/* Of one compute unit: binary products a cycle, over the bytes of device memory. */
static void put_accelerator_roofline(FILE *f, const compare_results *c, const compare_device *d, roofline *r,
                                     const char *color)
{
    r->x_title = "products of two bits a byte of the device's memory";
    r->y_title = "products of two bits a cycle";
    r->peak = compare_array(d);
    r->slope = d->info.ports * (d->info.port_bits / 8.0);
    for (size_t l = 0; l < c->layers; l++) {
        const bdnn_accelerator_cost *a = &d->cells[l].cost.accelerator;
        add_point(r, l, compare_products(c, l), (double)(a->bytes_read + a->bytes_written), (double)a->cycles);
    }
    put_roofline(f, c, r, color);
    fprintf(f,
            "<p class=\"note\">A point a layer, on one compute unit. Roofs: the array of %u x %u x %u bits; %u port%s "
            "of %u "
            "bits, one beat a cycle.</p>\n",
            d->info.rows, d->info.columns, d->info.word_bits, d->info.ports, d->info.ports == 1 ? "" : "s",
            d->info.port_bits);
}

/* Multiply-adds a nanosecond, over the bytes of weights and inputs that the kernels read. */
static void put_cpu_roofline(FILE *f, const compare_results *c, const compare_device *d, roofline *r, const char *color)
{
    const bdnn_peak *best = NULL;
    r->x_title = "multiply-adds a byte of weights and inputs";
    r->y_title = "G multiply-adds a second";
    for (size_t i = 0; i < d->bench.peak_count; i++) {
        const bdnn_peak *p = &d->bench.peaks[i].peak;
        best = p->instruction && !p->binary && (!best || p->products > best->products) ? p : best;
    }
    if (!best) {
        fputs("<p class=\"note\">No roofline: no peak is known of this device's kernels.</p>\n", f);
        return;
    }
    r->peak = 1e-9 * best->products;
    r->slope = 1e-9 * d->bench.read_rate;
    for (size_t l = 0; l < c->layers; l++) {
        const compare_cell *cell = &d->cells[l];
        add_point(r, l, (double)c->info[l].multiply_adds * (double)c->batch,
                  (double)(cell->cost.weight_bytes + cell->cost.input_bytes), 1e6 * cell->ms);
    }
    put_roofline(f, c, r, color);
    fprintf(
        f,
        "<p class=\"note\">A point a layer. Roofs, measured on the same threads: %s from registers alone; reading as "
        "much memory as a run reads.</p>\n",
        best->instruction);
}

static void put_accelerator(FILE *f, const compare_results *c, const compare_device *d)
{
    const double array = compare_array(d);
    fprintf(f,
            "<table><tr><th>layer<th>jobs<th>array steps<th>filled<th>cycles<th>array used<th>waits for loads<th>for "
            "results<th>kB memory");
    for (size_t l = 0; l < c->layers; l++) {
        const bdnn_accelerator_cost *a = &d->cells[l].cost.accelerator;
        const double cycles = (double)a->cycles;
        if (!a->jobs) {
            continue;
        }
        fputs("<tr><td>", f);
        put_text(f, c->info[l].name);
        fprintf(f, "<td>%llu<td>%llu<td>%.1f %%", (unsigned long long)a->jobs, (unsigned long long)a->busy_cycles,
                compare_percent(compare_products(c, l), (double)a->busy_cycles * array));
        if (a->cycles) {
            fprintf(f, "<td>%llu<td>%.1f %%<td>%.1f %%<td>%.1f %%<td>%.1f", (unsigned long long)a->cycles,
                    compare_percent(compare_products(c, l), cycles * array),
                    compare_percent((double)a->wait_load_cycles, cycles),
                    compare_percent((double)a->wait_results_cycles, cycles),
                    1e-3 * (double)(a->bytes_read + a->bytes_written));
        } else {
            fputs("<td>not counted<td><td><td><td>", f);
        }
    }
    fputs("</table>\n", f);
    if (compare_predicted(c, d) > 0) {
        fprintf(
            f,
            "<p><b>%.4g images/s at %g MHz</b>, %s cycles of the kernel alone: without the host's packing, copies, and "
            "layers on the CPU.</p>\n",
            compare_predicted(c, d), compare_clock(c, d),
            d->info.emulated ? "predicted from simulated" : "by the counted");
    } else {
        fputs("<p class=\"note\">Cycles, waits and memory traffic were not counted: this kernel is C and has no "
              "clock.</p>\n",
              f);
    }
}

static bool put_device(FILE *f, const compare_results *c, size_t index)
{
    const compare_device *d = &c->devices[index];
    roofline r = {.points = calloc(c->layers + 1, sizeof *r.points)};
    if (!r.points) {
        return false;
    }
    fputs("<h2>", f);
    put_text(f, d->bench.device.name);
    fputs("</h2>\n", f);
    if (d->info.accelerator) {
        fprintf(f, "<p>%u compute unit%s%s%s%s. Resource use: docs/reference/resources.md.</p>\n",
                d->info.compute_units, d->info.compute_units == 1 ? "" : "s", d->info.emulated ? ", emulated" : "",
                d->info.uuid[0] ? ", xclbin " : "", d->info.uuid);
        put_accelerator(f, c, d);
        if (compare_counts(d)) {
            put_accelerator_roofline(f, c, d, &r, colors[index]);
        }
    } else {
        put_cpu_roofline(f, c, d, &r, colors[index]);
    }
    free(r.points);
    return true;
}

static bool put_page(FILE *f, const compare_results *c)
{
    bool complete = true;
    fputs("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>bdnn compare: ", f);
    put_text(f, c->network);
    fprintf(f, "</title><style>%s</style>\n<h1>", style);
    put_text(f, c->network);
    fprintf(f, "</h1>\n<p>bdnn %s, batch %lld, %lld thread%s, medians of %lld runs. Input: ", bdnn_version(), c->batch,
            c->threads, c->threads == 1 ? "" : "s", c->repeat);
    put_text(f, c->inputs ? c->inputs : "noise");
    fputs(".</p>\n", f);
    put_devices(f, c);
    put_bars(f, c);
    for (size_t d = 0; d < c->count && complete; d++) {
        complete = put_device(f, c, d);
    }
    fputs("</html>\n", f);
    return complete;
}

int compare_write_html(const compare_results *c, const char *path)
{
    char *page = NULL;
    size_t size = 0;
    bdnn_error err;
    FILE *f = open_memstream(&page, &size);
    bool complete = f && put_page(f, c) && !ferror(f);
    if (f && fclose(f) != 0) {
        complete = false;
    }
    if (!complete) {
        free(page);
        fprintf(stderr, "bdnn: %s: no memory for the page\n", path);
        return CLI_FAILED;
    }
    if (bdnn_write_file(path, page, size, &err) != BDNN_OK) {
        free(page);
        return cli_fail(&err);
    }
    free(page);
    return CLI_OK;
}
