# SPDX-License-Identifier: BSD-2-Clause
# Run by the guest: the module's test. What is left of it is looked at by run.py.
# shellcheck shell=sh disable=SC1091,SC2154 # in the guest files lie at the top; /parameters sets what is not set here
insmod /bdnn.ko || exit 1
ls -l /dev/bdnn*
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null # of the checked kernel; Debian's is without fault injection
. /parameters
zynq_guest /dev/bdnn0 /dev/bdnn0-direct "$cycles" || exit 1
. /networks.sh
. /faults.sh
zynq_guest /dev/bdnn0 /dev/bdnn0-direct random "$seed" "$seconds" || exit 1
if [ -e /sys/class/rtc/rtc0/wakealarm ]; then
    zynq_guest /dev/bdnn0 /dev/bdnn0-direct suspend || exit 1
elif [ "$wakes" = yes ]; then
    echo "FAIL  there is no clock that wakes"
    exit 1
fi
rmmod bdnn || exit 1
[ ! -f /uio.sh ] || . /uio.sh
insmod /bdnn.ko || exit 1
# shellcheck disable=SC2217 # keeps the device open
sleep 60 </dev/bdnn0 &
sleep 1
rmmod bdnn 2>/dev/null && { echo "FAIL  the module was unloaded while in use"; exit 1; }
echo "ok    the module is not unloaded while in use"
kill $!
wait
zynq_guest /dev/bdnn0 /dev/bdnn0-direct dies || exit 1
grep accelerator /proc/interrupts
rmmod bdnn || exit 1
dmesg | grep -i bdnn
