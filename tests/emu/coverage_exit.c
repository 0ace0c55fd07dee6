/* SPDX-License-Identifier: BSD-2-Clause */
/* For scripts/coverage: open_emu ends by _exit, since kernels may still run, and gcc's counters are written by exit
 * alone. Linked with -Wl,--wrap=_exit. */
void __gcov_dump(void);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

_Noreturn void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}
