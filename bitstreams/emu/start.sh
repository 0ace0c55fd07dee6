#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs the emulated device. When that fails it ends the host program, which would wait for an answer for ever, unless it
# asked for answers of ones.
trap '' INT
library=$(dirname "$0")/device.so
[ -e "$library" ] && set -- --library "$library" || set --
# A model's messages are for the user; XRT throws the standard output away.
# shellcheck disable=SC2086 # several options
"${OPEN_EMU:-open_emu}" "$@" $OPEN_EMU_OPTIONS >&2
status=$?
[ $status -eq 0 ] && exit 0
echo "open_emu: the device process ended with status $status" >&2
[ "$OPEN_EMU_LOST" = ones ] || kill -TERM "$PPID" 2>/dev/null
exit $status
