/* SPDX-License-Identifier: BSD-2-Clause */
/* Probes and readers for x86-64. In assembly, so that every chain stays in its register and one file without -m flags
 * holds all of them; each is entered only where its kernel is, that is, where the processor has the instruction. */
#include "kernels/peak.h"
#include "kernels/x86/amx.h"

#define ROUNDS 512

/* The compiler knows of 16 vector registers here, and expects nothing in any. */
#define CLOBBERED                                                                                                      \
    "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",  \
        "xmm12", "xmm13", "xmm14", "xmm15"

/* `code` for each \n of the list, again and again. Registers 0 and 1 are operands, 2 and 3 hold what is on its way to a
 * sum; what they hold does not matter, since integer instructions take the same time for all numbers. */
#define PROBE(symbol, text, each, chains, is_binary, list, code, end)                                                  \
    static void run_##symbol(void)                                                                                     \
    {                                                                                                                  \
        long rounds = ROUNDS;                                                                                          \
        __asm__ volatile("1:\n.irp n," list "\n" code ".endr\ndec %0\njnz 1b\n" end : "+r"(rounds) : : CLOBBERED);     \
    }                                                                                                                  \
    static const bdnn_probe symbol = {                                                                                 \
        .instruction = text, .products = (double)(each) * (chains)*ROUNDS, .binary = is_binary, .run = run_##symbol};

#define TWELVE      "4,5,6,7,8,9,10,11,12,13,14,15"
#define TWENTY_FOUR TWELVE ",16,17,18,19,20,21,22,23,24,25,26,27"

PROBE(pmaddwd_xmm, "PMADDWD xmm", 8, 12, false, TWELVE,
      "movdqa %%xmm0, %%xmm2\npmaddwd %%xmm1, %%xmm2\npaddd %%xmm2, %%xmm\\n\n", "")
PROBE(pmaddubsw_xmm, "PMADDUBSW xmm", 16, 12, false, TWELVE,
      "movdqa %%xmm0, %%xmm2\npmaddubsw %%xmm1, %%xmm2\npaddw %%xmm2, %%xmm\\n\n", "")
PROBE(vpmaddwd_ymm, "VPMADDWD ymm", 16, 12, false, TWELVE,
      "vpmaddwd %%ymm0, %%ymm1, %%ymm2\nvpaddd %%ymm2, %%ymm\\n, %%ymm\\n\n", "vzeroupper\n")
PROBE(vpmaddubsw_ymm, "VPMADDUBSW ymm", 32, 12, false, TWELVE,
      "vpmaddubsw %%ymm0, %%ymm1, %%ymm2\nvpaddw %%ymm2, %%ymm\\n, %%ymm\\n\n", "vzeroupper\n")
PROBE(vpdpbusd_ymm, "VPDPBUSD ymm", 32, 12, false, TWELVE, "%{vex%} vpdpbusd %%ymm0, %%ymm1, %%ymm\\n\n",
      "vzeroupper\n")
PROBE(vpdpbusd_zmm, "VPDPBUSD zmm", 64, 24, false, TWENTY_FOUR, "vpdpbusd %%zmm0, %%zmm1, %%zmm\\n\n", "vzeroupper\n")
PROBE(vpopcntq_zmm, "VPOPCNTQ zmm", 512, 24, true, TWENTY_FOUR,
      "vpandq %%zmm0, %%zmm1, %%zmm2\nvpopcntq %%zmm2, %%zmm2\nvpaddq %%zmm2, %%zmm\\n, %%zmm\\n\n", "vzeroupper\n")
/* A product, and the full adder that counts it. */
PROBE(vpand_ymm, "VPAND and carry-save adder ymm", 256, 12, true, TWELVE,
      "vpand %%ymm0, %%ymm1, %%ymm2\nvpxor %%ymm2, %%ymm\\n, %%ymm3\nvpand %%ymm2, %%ymm\\n, %%ymm2\n"
      "vpxor %%ymm3, %%ymm0, %%ymm\\n\nvpand %%ymm3, %%ymm0, %%ymm3\nvpor %%ymm3, %%ymm2, %%ymm2\n",
      "vzeroupper\n")

/* Tiles of 16 rows of 64 bytes: four sums. */
static void run_tdpbusd(void)
{
    long rounds = ROUNDS;
    bdnn_amx_configure();
    __asm__ volatile("1:\n.irp n,0,1,2,3\ntdpbusd %%tmm6, %%tmm5, %%tmm\\n\n.endr\ndec %0\njnz 1b\n"
                     "tilerelease\n"
                     : "+r"(rounds)
                     :
                     : "cc");
}

static const bdnn_probe tdpbusd = {.instruction = "TDPBUSD", .products = 16384.0 * 4 * ROUNDS, .run = run_tdpbusd};

const bdnn_probe_entry bdnn_probes_native[] = {
    {&bdnn_ip_panel_amx, &tdpbusd},
    {&bdnn_ip_panel_avx512vnni, &vpdpbusd_zmm},
    {&bdnn_ip_dense_avx512vnni, &vpdpbusd_zmm},
    {&bdnn_ip_dense_avx512gfni, &vpdpbusd_zmm},
    {&bdnn_ip_panel_avxvnni, &vpdpbusd_ymm},
    {&bdnn_ip_dense_avxvnni, &vpdpbusd_ymm},
    {&bdnn_ip_panel_avx2, &vpmaddubsw_ymm},
    {&bdnn_ip_dense_avx2, &vpmaddubsw_ymm},
    {&bdnn_ip_dot16_avx2, &vpmaddwd_ymm},
    {&bdnn_ip_panel_sse4, &pmaddubsw_xmm},
    {&bdnn_ip_dense_sse4, &pmaddubsw_xmm},
    {&bdnn_ip_dot16_portable, &pmaddwd_xmm},
    {&bdnn_ip_dense_portable, &pmaddwd_xmm},
    {&bdnn_ip_popcount_avx512, &vpopcntq_zmm},
    {&bdnn_ip_popcount_avx2, &vpand_ymm},
    {NULL, NULL},
};

/* ---- Reading ---- */

#define READER(symbol, load, registers, width, end)                                                                    \
    static void symbol(const void *at, size_t stripe, size_t bytes)                                                    \
    {                                                                                                                  \
        const char *a = at, *b = a + stripe, *c = b + stripe, *d = c + stripe;                                         \
        size_t i = 0;                                                                                                  \
        __asm__ volatile("1:\n.irp o," width "\n" load " \\o(%1,%0), " registers "0\n" load " \\o(%2,%0), " registers  \
                         "1\n" load " \\o(%3,%0), " registers "2\n" load " \\o(%4,%0), " registers                     \
                         "3\n.endr\nadd $64, %0\ncmp %5, %0\njb 1b\n" end                                              \
                         : "+r"(i)                                                                                     \
                         : "r"(a), "r"(b), "r"(c), "r"(d), "r"(bytes)                                                  \
                         : CLOBBERED);                                                                                 \
    }

READER(read_xmm, "movdqa", "%%xmm", "0,16,32,48", "")
READER(read_ymm, "vmovdqa", "%%ymm", "0,32", "vzeroupper\n")
READER(read_zmm, "vmovdqa64", "%%zmm", "0", "vzeroupper\n")

bdnn_reader *bdnn_reader_native(void)
{
    return __builtin_cpu_supports("avx512f") ? read_zmm : __builtin_cpu_supports("avx2") ? read_ymm : read_xmm;
}
