# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's interface and a board's sizes, and what is written of them; bitstreams/describe.py is the program."""
