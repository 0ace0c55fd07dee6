/* Metrics by hand computation. */
#include "bdnn.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

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
    uint64_t confusion[16] = {0};
    double iou[4], mean;
    bdnn_error err;
    (void)state;
    assert_int_equal(bdnn_confusion_add(confusion, 4, truth, prediction, 7, &err), BDNN_OK);
    mean = bdnn_mean_iou(confusion, 4, iou);
    assert_true(fabs(iou[0] - 2.0 / 3) < 1e-12); /* 2 hits, 1 missed */
    assert_true(fabs(iou[1] - 2.0 / 4) < 1e-12); /* 2 hits, 1 missed, 1 too many */
    assert_true(iou[2] == -1);                   /* neither there nor predicted */
    assert_true(iou[3] == 0);
    assert_true(fabs(mean - (2.0 / 3 + 0.5) / 3) < 1e-12);
    assert_int_equal(bdnn_confusion_add(confusion, 3, truth, prediction, 7, &err), BDNN_ERROR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ranks), cmocka_unit_test(intersection_over_union)};
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
