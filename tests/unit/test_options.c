/* SPDX-License-Identifier: BSD-2-Clause */
/* Options structures of older and newer callers, docs/reference/abi.md: what this version knows is taken, nothing gets
 * lost. */
#define _XOPEN_SOURCE 700
#include "core/options.h"

#include "scratch.h"

#include "networks.h"

#include "bdnn_measure.h"

static bdnn_error err;

/* A structure that has grown: `c` was added after the first release, `reserved` fills its end. */
typedef struct grown {
    size_t struct_size;
    uint32_t a, b;
    uint32_t c;
    uint8_t reserved[4];
} grown;
static const bdnn_options_form form = {"GROWN_INIT", offsetof(grown, c), offsetof(grown, reserved), sizeof(grown)};

static bdnn_status take(const void *given, grown *own)
{
    *own = (grown){sizeof *own, 1, 2, 3, {0}};
    memset(&err, 0, sizeof err);
    return bdnn_options_copy(&form, own, given, "call", &err);
}

static void of_this_version(void **unused)
{
    const grown given = {sizeof given, 4, 5, 6, {0}};
    grown own;
    (void)unused;
    assert_int_equal(take(&given, &own), BDNN_OK);
    assert_memory_equal(&own, &given, sizeof own);
    assert_int_equal(take(NULL, &own), BDNN_OK);
    assert_true(own.a == 1 && own.b == 2 && own.c == 3 && own.struct_size == sizeof own);
}

static void older_callers_leave_the_rest(void **unused)
{
    /* What lies behind the older structure is somebody else's. */
    const struct {
        size_t struct_size;
        uint32_t a, b;
        uint32_t others[2];
    } given = {offsetof(grown, c), 4, 5, {0xffffffff, 0xffffffff}};
    grown own;
    (void)unused;
    assert_int_equal(take(&given, &own), BDNN_OK);
    assert_true(own.a == 4 && own.b == 5 && own.c == 3 && own.struct_size == sizeof own);
}

static void newer_callers_may_not_ask_for_more(void **unused)
{
    struct {
        grown known;
        uint8_t added[8];
    } given = {{sizeof given, 4, 5, 6, {0}}, {0}};
    char both[64];
    grown own;
    (void)unused;
    assert_int_equal(take(&given, &own), BDNN_OK);
    assert_true(own.a == 4 && own.c == 6 && own.struct_size == sizeof own);
    given.added[7] = 1;
    assert_int_equal(take(&given, &own), BDNN_ERROR_UNSUPPORTED);
    snprintf(both, sizeof both, "struct_size %zu, in this library %zu", sizeof given, sizeof own);
    assert_non_null(strstr(err.message, both));
    assert_true(own.a == 1 && own.c == 3);
    given.added[7] = 0;
    given.known.reserved[3] = 1; /* no version's field: the structure was not set up */
    assert_int_equal(take(&given, &own), BDNN_ERROR_UNSUPPORTED);
}

static void sizes_of_no_version(void **unused)
{
    static const size_t sizes[] = {0, 1, sizeof(void *), offsetof(grown, c) - 1, 4097, SIZE_MAX};
    (void)unused;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const grown given = {sizes[i], 4, 5, 6, {0}};
        char both[64];
        grown own;
        assert_int_equal(take(&given, &own), BDNN_ERROR_ARGUMENT);
        assert_int_equal(err.status, BDNN_ERROR_ARGUMENT);
        snprintf(both, sizeof both, "is %zu, in this library %zu", sizes[i], sizeof(grown));
        assert_non_null(strstr(err.message, both));
        assert_non_null(strstr(err.message, "GROWN_INIT"));
        assert_true(own.a == 1 && own.b == 2 && own.c == 3);
    }
}

/* ---- The public calls ---- */

/* A status and where its message begins: whose it is. */
#define REFUSED(call, expected)                                                                                        \
    do {                                                                                                               \
        memset(&err, 0, sizeof err);                                                                                   \
        assert_int_equal(call, expected);                                                                              \
        assert_int_equal(strncmp(err.message, #call, strcspn(#call, "(")), 0);                                         \
    } while (0)

static void loading(void **unused)
{
    bdnn_load_options options = {.copy = true};
    bdnn_model *model = (bdnn_model *)&err;
    (void)unused;
    REFUSED(bdnn_model_load("x", &options, &model, &err), BDNN_ERROR_ARGUMENT);
    assert_non_null(strstr(err.message, "struct_size of the options is 0, in this library "));
    assert_null(model);
    options = (bdnn_load_options)BDNN_LOAD_OPTIONS_INIT;
    options.reserved[0] = 1;
    REFUSED(bdnn_model_load("x", &options, &model, &err), BDNN_ERROR_UNSUPPORTED);
    options.reserved[0] = 0;
    assert_int_equal(bdnn_model_load("x", &options, &model, &err), BDNN_ERROR_IO);
}

static void sessions_and_launches(void **unused)
{
    const bdnn_shape shape = {4, {1, 1, 2, 2}};
    bdnn_model *model = model_with_input(&shape);
    bdnn_session *session = (bdnn_session *)model;
    bdnn_launch_times times;
    struct {
        bdnn_session_options known;
        uint8_t added[8];
    } newer = {BDNN_SESSION_OPTIONS_INIT, {0}};
    bdnn_session_options options = {.threads = 1};
    (void)unused;
    finish(model, add_conv(model, 0, 1, 1, 2, 1));
    REFUSED(bdnn_session_create(model, &options, &session, &err), BDNN_ERROR_ARGUMENT);
    assert_null(session);
    REFUSED(bdnn_device_launches(&options, 1, &times, &err), BDNN_ERROR_ARGUMENT);
    options.struct_size = sizeof(&options); /* of the pointer, by mistake */
    REFUSED(bdnn_session_create(model, &options, &session, &err), BDNN_ERROR_ARGUMENT);
    newer.known.struct_size = sizeof newer;
    newer.known.threads = 1;
    assert_int_equal(bdnn_session_create(model, &newer.known, &session, &err), BDNN_OK);
    bdnn_session_free(session);
    newer.added[0] = 1;
    REFUSED(bdnn_session_create(model, &newer.known, &session, &err), BDNN_ERROR_UNSUPPORTED);
    assert_null(session);
    REFUSED(bdnn_device_launches(&newer.known, 1, &times, &err), BDNN_ERROR_UNSUPPORTED);
    bdnn_model_free(model);
}

static void decomposing(void **unused)
{
    static const float inputs[4] = {1, 2, 3, 4};
    const bdnn_shape shape = {4, {1, 1, 2, 2}};
    bdnn_model *model = model_with_input(&shape), *out = model, *again;
    bdnn_decompose_options options = {.bases = 1, .bits = 1};
    bdnn_layer_info info;
    (void)unused;
    finish(model, add_conv(model, 0, 1, 1, 2, 1));
    bdnn_decomposed_free(model->graph.layers[0].decomposed);
    model->graph.layers[0].decomposed = NULL;
    model->graph.layers[0].weight = random_floats(2);
    REFUSED(bdnn_decompose(model, inputs, 1, &options, &out, NULL, NULL, &err), BDNN_ERROR_ARGUMENT);
    assert_null(out);
    /* Options that are not given are those of the initializer. */
    options = (bdnn_decompose_options)BDNN_DECOMPOSE_OPTIONS_INIT;
    assert_int_equal(bdnn_decompose(model, inputs, 1, NULL, &out, NULL, NULL, &err), BDNN_OK);
    assert_int_equal(bdnn_decompose(model, inputs, 1, &options, &again, NULL, NULL, &err), BDNN_OK);
    assert_int_equal(bdnn_model_layer(out, 0, &info, &err), BDNN_OK);
    assert_true(info.bases == options.bases && info.bits == options.bits);
    assert_int_equal(bdnn_model_layer(again, 0, &info, &err), BDNN_OK);
    assert_true(info.bases == options.bases && info.bits == options.bits);
    bdnn_model_free(again);
    bdnn_model_free(out);
    bdnn_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_this_version),
        cmocka_unit_test(older_callers_leave_the_rest),
        cmocka_unit_test(newer_callers_may_not_ask_for_more),
        cmocka_unit_test(sizes_of_no_version),
        cmocka_unit_test(loading),
        cmocka_unit_test(sessions_and_launches),
        cmocka_unit_test(decomposing),
    };
    return cmocka_run_group_tests_name("options", tests, scratch_make, scratch_remove);
}
