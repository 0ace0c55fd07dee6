# SPDX-License-Identifier: BSD-2-Clause
# Run by the guest with the module loaded: what goes wrong, as the tool's user sees it. Each message is the one that docs/use/deploy-zynq.md lists.
# The board's faults (board.h) are for one run, counted from the next.
# shellcheck shell=sh disable=SC1091,SC2154 # in the guest files lie at the top; /parameters sets what is not set here
network=${networks%% *}
fault() { zynq_guest /dev/bdnn0 /dev/bdnn0-direct arm "$@" || exit 1; }
fail() { echo "FAIL  $1 (status $status)"; cat /tmp/messages; head -3 /tmp/result; exit 1; }

# tool DEVICE [OPTION...]   one run of one image after two, beside the definition
tool() {
    device=$1
    shift
    bdnn compare "/$network.bdnn" --devices "reference,$device" --images "/$network.idx" --batch 1 --repeat 1 --json "$@" >/tmp/result 2>/tmp/messages
    status=$?
}
# refused WHAT MESSAGE
refused() {
    [ $status -eq 1 ] && grep -q "^bdnn: .*$2" /tmp/messages || fail "$1: no message '$2'"
    echo "ok    $1: $(grep '^bdnn: ' /tmp/messages)"
}
works() {
    tool uio
    [ $status -eq 0 ] && [ "$(different)" = "0 0 " ] || fail "$1"
    echo "ok    $1"
}
# The accelerator that hung goes on after some seconds, and the module then gives it away again.
free_again() {
    for _ in $(seq 100); do
        zynq_guest /dev/bdnn0 /dev/bdnn0-direct counts >/dev/null 2>&1 && return
        usleep 100000
    done
    fail "the device does not become free"
}

# shellcheck disable=SC2217 # keeps the device open
sleep 100 </dev/bdnn0 &
tool uio
refused "another process has the device" "uio: /dev/bdnn0 is in use by another process"
kill $!
wait

chgrp 100 /dev/bdnn0
as() { zynq_guest /dev/bdnn0 /dev/bdnn0-direct as 1000 "$1" bdnn devices >/tmp/result 2>/tmp/messages; status=$?; }
as 1000
grep -q 'cannot be used: uio: /dev/bdnn0: permission denied; that needs the group' /tmp/result || fail "a user without the group"
echo "ok    a user without the group: $(sed -n 's/.*cannot be used: //p' /tmp/result | head -1)"
as 100
grep -q 'array *8 filters x 8 pixels' /tmp/result || fail "a user of the group"
grep -q 'cannot be used: uio: /dev/bdnn0-direct: permission denied; it is for root alone' /tmp/result || fail "the direct node is for root alone"
zynq_guest /dev/bdnn0 /dev/bdnn0-direct as 1000 100 bdnn compare "/$network.bdnn" --devices reference,uio --batch 1 --repeat 1 --json >/tmp/result 2>/tmp/messages
status=$?
[ $status -eq 0 ] && [ "$(different)" = "0 0 " ] || fail "a user of the group runs a network"
echo "ok    a user of the group runs a network, and the direct node is for root alone"

fault error 3
tool uio
refused "a bus error" "uio:bdnn0: an error of the memory it reads"
works "the next run is well"

fault spurious 3
works "a spurious interrupt is not noticed"

fault identity 1000
tool uio
refused "registers that read as nothing" "uio:bdnn0: the kernel's identity is 0x00000000, not $identity"
fault none
works "and when they are there again"

fault stuck 3
tool uio --timeout 500
refused "the accelerator hangs" "layer '.*': uio:bdnn0: its run did not end within 500 ms"
bdnn compare "/$network.bdnn" --devices uio >/tmp/result 2>/tmp/messages # at once: it hangs for some seconds
status=$?
refused "and is still busy" "uio: /dev/bdnn0: the accelerator still runs for a process that is gone"
free_again
works "it goes on, and is given away again"

bdnn eval "/$network.bdnn" "/$network.idx" --dataset-labels "/$network.labels" --json --device cpu >/tmp/cpu 2>/tmp/messages || fail "accuracy on the CPU"
fault stuck 3
bdnn eval "/$network.bdnn" "/$network.idx" --dataset-labels "/$network.labels" --json --device uio --timeout 500 --fallback cpu >/tmp/result 2>/tmp/messages
status=$?
[ $status -eq 0 ] && grep -q "^bdnn: warning: .*did not end within 500 ms.*; going on with the CPU" /tmp/messages || fail "--fallback cpu"
grep -v images_per_second /tmp/cpu >/tmp/cpu-results
grep -v images_per_second /tmp/result | cmp - /tmp/cpu-results || fail "other results than the CPU's"
echo "ok    --fallback cpu: $(grep '^bdnn: ' /tmp/messages)"
free_again

bdnn compare "/$network.bdnn" --devices uio --repeat 1000 >/dev/null 2>&1 &
sleep 2
kill -9 $!
wait
works "a tool that is killed in the middle of a run leaves the device free"

fault identity 1
rmmod bdnn
insmod /bdnn.ko
dmesg | tail -2 | grep -q "identity is 0x0, of bdnn_kernel it is $identity" || fail "the module takes another kernel for ours"
echo "ok    another bitstream: $(dmesg | grep 'identity is' | tail -1)"
tool uio
refused "no accelerator" "uio: there is no accelerator: .*is the module loaded, and the accelerator in the device tree?"
rmmod bdnn
insmod /bdnn.ko || exit 1
works "the module loaded again"
