# SPDX-License-Identifier: BSD-2-Clause
# Run by the guest with the module loaded: whole trained networks, by the tool as it was cross-compiled. Outputs are compared with those of
# --device reference bit for bit; on the accelerator, the board must have run as often as the module took interrupts.
# $networks says which; $long, all of them through both nodes.
# shellcheck shell=sh disable=SC1091,SC2154 # in the guest files lie at the top; /parameters sets what is not set here
different() { sed -n 's/.*"different_values":[[:space:]]*\([0-9]*\).*/\1/p' /tmp/result | tr '\n' ' '; }
values() { sed -n 's/.*"compared_values":[[:space:]]*\([0-9]*\).*/\1/p' /tmp/result; }

for network in $networks; do
    for device in cpu uio uio:bdnn0-direct; do
        # Both nodes with every network takes twice as long.
        [ $device != uio:bdnn0-direct ] || [ "$network" = alexnet ] || [ "$long" = yes ] || continue
        begin=$(date +%s)
        before=$(zynq_guest /dev/bdnn0 /dev/bdnn0-direct counts) || exit 1
        bdnn compare "/$network.bdnn" --devices reference,$device --images "/$network.idx" --batch 2 --repeat 1 --timeout 120000 --json \
            >/tmp/result 2>/tmp/messages || { cat /tmp/messages; exit 1; }
        after=$(zynq_guest /dev/bdnn0 /dev/bdnn0-direct counts) || exit 1
        if [ "$(different)" != "0 0 " ]; then
            echo "FAIL  $network: $device differs from reference in values: $(different)"
            exit 1
        fi
        # shellcheck disable=SC2086 # two numbers each
        set -- $before $after
        runs=$(($3 - $1)) interrupts=$(($4 - $2))
        case $device in
        uio*) [ $runs -gt 0 ] ;;
        *) [ $runs -eq 0 ] ;;
        esac && [ $runs -eq $interrupts ] || { echo "FAIL  $network on $device: $runs runs, $interrupts interrupts"; exit 1; }
        echo "ok    $network on $device: $(values) values equal reference's, $runs runs, $interrupts interrupts, $(($(date +%s) - begin)) s"
    done
done
