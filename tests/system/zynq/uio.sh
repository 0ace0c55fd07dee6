# SPDX-License-Identifier: BSD-2-Clause
# Run by the guest without the module, after networks.sh: the same accelerator as a device of Linux's own UIO (uio/zynq_uio.c). The tool waits by
# interrupt alone, and by looking first; run.py counts whether as many interrupts are taken as are raised.
# shellcheck shell=sh disable=SC1091,SC2154 # in the guest files lie at the top; /parameters sets what is not set here
insmod /uio.ko || exit 1
insmod /zynq_uio.ko || exit 1
# shellcheck disable=SC2086 # several words
set -- $networks
for wait in interrupt hybrid; do
    bdnn compare "/$1.bdnn" --devices reference,uio:uio0 --images "/$1.idx" --batch 2 --repeat 1 --timeout 120000 --wait $wait --json \
        >/tmp/result 2>/tmp/messages || { cat /tmp/messages; exit 1; }
    [ "$(different)" = "0 0 " ] || { echo "FAIL  $1: UIO differs from reference in values: $(different)"; exit 1; }
    echo "ok    $1 on UIO, waiting by $wait: $(values) values equal reference's"
done
rmmod zynq_uio && rmmod uio || exit 1
