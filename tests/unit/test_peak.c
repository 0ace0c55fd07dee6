/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's peaks: every kernel of this processor has one where its family's instructions are known, and the
 * figures are such as a machine can have. */
#include "bdnn_measure.h"
#include "kernels/peak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void every_kernel_has_its_peak(void **unused)
{
    (void)unused;
    for (const bdnn_ip_kernel *const *k = bdnn_ip_kernels; *k; k++) {
        bdnn_peak peak;
        const bool measured = bdnn_peak_measure((*k)->name, 1, &peak);
        if (measured) {
            assert_true((*k)->supported(NULL));
            assert_non_null(peak.instruction);
            /* Products a second: no processor is slower, no single one faster. */
            assert_true(peak.products > 1e6 && peak.products < 1e15);
        } else {
            assert_null(peak.instruction);
            assert_true(peak.products == 0);
        }
#if defined(__x86_64__)
        if (measured != (*k)->supported(NULL)) {
            fail_msg("%s is %smeasured", (*k)->name, measured ? "" : "not ");
        }
#endif
    }
}

static void bits_are_told_from_bytes(void **unused)
{
    bdnn_peak peak;
    (void)unused;
    assert_true(bdnn_peak_measure(bdnn_ip_xnor_scalar.name, 2, &peak));
    assert_true(peak.binary);
#if defined(__x86_64__)
    assert_true(bdnn_peak_measure(bdnn_ip_dot16_portable.name, 1, &peak));
    assert_false(peak.binary);
#endif
}

static void other_names_have_none(void **unused)
{
    const char *const names[] = {"float", "integers", "fused", "", "panel"};
    (void)unused;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bdnn_peak peak;
        assert_false(bdnn_peak_measure(names[i], 1, &peak));
    }
}

/* Small memories, odd sizes, more threads than parts. */
static void reading_takes_any_size(void **unused)
{
    const size_t sizes[] = {1, 64, 257, 4096, 100001, (size_t)3 << 20};
    (void)unused;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const double rate = bdnn_peak_read(sizes[i], i % 3 + 1);
        assert_true(rate > 1e5 && rate < 1e14);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_has_its_peak),
        cmocka_unit_test(bits_are_told_from_bytes),
        cmocka_unit_test(other_names_have_none),
        cmocka_unit_test(reading_takes_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
