/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics by hand computation. */
#include "bdnn_data.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void ranks(void **state)
{
    const float scores[] = {1, 3, 2, 3, NAN};
    (void)state;
    assert_int_equal(bdnn_rank_of(scores, 4, 1), 0); /* of equal scores the lower class wins */
    assert_int_equal(bdnn_rank_of(scores, 4, 3), 1);
    assert_int_equal(bdnn_rank_of(scores, 4, 0), 3);
    assert_int_equal(bdnn_rank_of(scores, 5, 4), 5); /* no score is no hit */
    assert_int_equal(bdnn_rank_of(scores, 4, 4), 4); /* nor is a class that there is not */
    assert_int_equal(bdnn_rank_of(scores, 4, -1), 4);
}

static void intersection_over_union(void **state)
{
    const int32_t truth[] = {0, 0, 0, 1, 1, -1, 1}, prediction[] = {0, 0, 1, 1, 1, 0, 3};
    bdnn_class_counts counts[4] = {{0, 0, 0}};
    double iou[4], mean;
    bdnn_error err;
    (void)state;
    assert_int_equal(bdnn_class_counts_add(counts, 4, truth, prediction, 7, &err), BDNN_OK);
    mean = bdnn_mean_iou(counts, 4, iou);
    assert_true(fabs(iou[0] - 2.0 / 3) < 1e-12); /* 2 hits, 1 missed */
    assert_true(fabs(iou[1] - 2.0 / 4) < 1e-12); /* 2 hits, 1 missed, 1 too many */
    assert_true(iou[2] == -1);                   /* neither there nor predicted */
    assert_true(iou[3] == 0);
    assert_true(fabs(mean - (2.0 / 3 + 0.5) / 3) < 1e-12);
    assert_int_equal(bdnn_class_counts_add(counts, 3, truth, prediction, 7, &err), BDNN_ERROR_FORMAT);
    assert_int_equal(counts[0].truths + counts[1].truths, 6); /* nothing was added */
}

/* The first of a million scores with many equal ones and some that are no numbers, against the ranks one by one. */
static void first_classes(void **state)
{
    enum { CLASSES = 1000000, SHOWN = 1000 };
    float *scores = malloc(CLASSES * sizeof *scores);
    static size_t classes[SHOWN];
    uint32_t noise = 1;
    (void)state;
    assert_non_null(scores);
    for (int order = 0; order < 3; order++) { /* random, rising, falling */
        for (int32_t c = 0; c < CLASSES; c++) {
            noise = noise * 1664525u + 1013904223u;
            scores[c] = order == 1 ? (float)c : order == 2 ? (float)-c : (float)(noise >> 12);
            scores[c] = noise % 50 == 0 ? NAN : scores[c];
        }
        assert_int_equal(bdnn_top_classes(scores, CLASSES, SHOWN, classes), SHOWN);
        for (size_t rank = 0; rank < SHOWN; rank += rank < 20 ? 1 : 97) {
            assert_int_equal(bdnn_rank_of(scores, CLASSES, (int32_t)classes[rank]), rank);
        }
    }
    scores[0] = NAN, scores[1] = 2, scores[2] = 3, scores[3] = 3;
    assert_int_equal(bdnn_top_classes(scores, 4, SHOWN, classes), 3);
    assert_int_equal(classes[0], 2);
    assert_int_equal(classes[1], 3);
    assert_int_equal(classes[2], 1);
    assert_int_equal(bdnn_top_classes(scores, 1, SHOWN, classes), 0);
    assert_int_equal(bdnn_top_classes(scores, 4, 0, classes), 0);
    free(scores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ranks), cmocka_unit_test(first_classes),
                                       cmocka_unit_test(intersection_over_union)};
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
