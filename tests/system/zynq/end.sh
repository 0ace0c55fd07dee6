# SPDX-License-Identifier: BSD-2-Clause
# Run by the guest in a second boot, where the pool is memory that the kernel does not map (no-map); all as in the first, and then the system ends in
# the middle of a run. What becomes of that is looked at by run.py.
# shellcheck shell=sh disable=SC1091,SC2154 # in the guest files lie at the top; /parameters sets what is not set here
insmod /bdnn.ko || exit 1
. /parameters
dmesg | grep -q 'bdnn0: .* unmapped pool of 65536 KiB' || { echo "FAIL  the pool is not no-map"; exit 1; }
zynq_guest /dev/bdnn0 /dev/bdnn0-direct 5 || exit 1
networks=${networks%% *}
. /networks.sh
zynq_guest /dev/bdnn0 /dev/bdnn0-direct forever &
sleep 3
grep accelerator /proc/interrupts
dmesg | grep -i bdnn
