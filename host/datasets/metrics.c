/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics: ranks of scores, hits of classes, intersection over union. All take time and memory in proportion to the
 * number of classes, of which there can be a million. */
#include "bdnn_data.h"
#include "core/error.h"

#include <stdlib.h>

size_t bdnn_rank_of(const float *scores, size_t count, int32_t label)
{
    size_t rank = 0;
    if (!scores || (size_t)label >= count || scores[label] != scores[label]) {
        return count; /* no such class, or no score: never a hit */
    }
    for (size_t i = 0; i < count; i++) {
        rank += scores[i] > scores[label] || (scores[i] == scores[label] && i < (size_t)label);
    }
    return rank;
}

/* Whether class a comes before class b. */
static bool before(const float *scores, size_t a, size_t b)
{
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
}

/* heap[0] is the last in order; the children of i are 2 i + 1 and 2 i + 2. Lets heap[0] sink to where it belongs. */
static void sink(const float *scores, size_t *heap, size_t count)
{
    size_t at = 0, child;
    while ((child = 2 * at + 1) < count) {
        const size_t moved = heap[at];
        child += child + 1 < count && before(scores, heap[child], heap[child + 1]);
        if (before(scores, heap[child], moved)) {
            return;
        }
        heap[at] = heap[child];
        heap[child] = moved;
        at = child;
    }
}

static void rise(const float *scores, size_t *heap, size_t at)
{
    while (at > 0 && before(scores, heap[(at - 1) / 2], heap[at])) {
        const size_t parent = (at - 1) / 2, moved = heap[at];
        heap[at] = heap[parent];
        heap[parent] = moved;
        at = parent;
    }
}

size_t bdnn_top_classes(const float *scores, size_t count, size_t most, size_t *classes)
{
    size_t kept = 0, found;
    if (!scores || !classes || !most) {
        return 0;
    }
    for (size_t c = 0; c < count; c++) {
        if (scores[c] != scores[c]) {
            continue;
        }
        if (kept < most) {
            classes[kept] = c;
            rise(scores, classes, kept++);
        } else if (before(scores, c, classes[0])) {
            classes[0] = c;
            sink(scores, classes, kept);
        }
    }
    found = kept;
    while (kept > 1) { /* the last goes to the end, again and again */
        const size_t last = classes[0];
        classes[0] = classes[--kept];
        sink(scores, classes, kept);
        classes[kept] = last;
    }
    return found;
}

bdnn_status bdnn_class_counts_add(bdnn_class_counts *counts, int32_t classes, const int32_t *truth,
                                  const int32_t *prediction, size_t count, bdnn_error *err)
{
    if (!counts || !truth || !prediction) {
        return bdnn_fail_null(err, __func__);
    }
    for (size_t i = 0; i < count; i++) {
        if (truth[i] >= 0 && (truth[i] >= classes || prediction[i] < 0 || prediction[i] >= classes)) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "pixel %zu has class %d and is predicted as %d, of %d classes", i,
                             truth[i], prediction[i], classes);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (truth[i] >= 0) {
            counts[truth[i]].truths++;
            counts[prediction[i]].predictions++;
            counts[truth[i]].hits += truth[i] == prediction[i];
        }
    }
    return BDNN_OK;
}

double bdnn_mean_iou(const bdnn_class_counts *counts, int32_t classes, double *iou)
{
    double sum = 0;
    int32_t present = 0;
    for (int32_t c = 0; counts && iou && c < classes; c++) {
        const uint64_t either = counts[c].truths + counts[c].predictions - counts[c].hits;
        iou[c] = either ? (double)counts[c].hits / (double)either : -1;
        if (either) {
            sum += iou[c];
            present++;
        }
    }
    return present ? sum / present : 0;
}
