/* Metrics: ranks of scores, confusion matrices, intersection over union. */
#include "core/error.h"

size_t bdnn_rank_of(const float *scores, size_t count, int32_t label)
{
    size_t rank = 0;
    if ((size_t)label >= count || scores[label] != scores[label]) {
        return count; /* no such class, or no score: never a hit */
    }
    for (size_t i = 0; i < count; i++) {
        rank += scores[i] > scores[label] || (scores[i] == scores[label] && i < (size_t)label);
    }
    return rank;
}

bdnn_status bdnn_confusion_add(uint64_t *confusion, int32_t classes, const int32_t *truth, const int32_t *prediction,
                               size_t count, bdnn_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (truth[i] < 0) {
            continue;
        }
        if (truth[i] >= classes || prediction[i] < 0 || prediction[i] >= classes) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "pixel %zu has class %d and is predicted as %d, of %d classes", i,
                             truth[i], prediction[i], classes);
        }
        confusion[(size_t)truth[i] * (size_t)classes + (size_t)prediction[i]]++;
    }
    return BDNN_OK;
}

double bdnn_mean_iou(const uint64_t *confusion, int32_t classes, double *iou)
{
    double sum = 0;
    int32_t present = 0;
    for (int32_t c = 0; c < classes; c++) {
        const uint64_t hit = confusion[(size_t)c * (size_t)classes + (size_t)c];
        uint64_t either = 0;
        for (int32_t o = 0; o < classes; o++) {
            either +=
                confusion[(size_t)c * (size_t)classes + (size_t)o] + confusion[(size_t)o * (size_t)classes + (size_t)c];
        }
        either -= hit;
        iou[c] = either ? (double)hit / (double)either : -1;
        if (either) {
            sum += iou[c];
            present++;
        }
    }
    return present ? sum / present : 0;
}
