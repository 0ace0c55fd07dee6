// SPDX-License-Identifier: BSD-2-Clause
// How the popcount of a unit is built: sizes and pipeline stages, shared by its parts.

package bdnn_popcount_pkg;

  // Smallest number of 6:3 counters so that all bits find a place: six a counter, two more in each adder of the first layer.
  function automatic int unsigned counters(int unsigned bits);
    counters = 1;
    while (6 * counters + 2 * ((counters + 1) / 3) < bits) counters = counters + 1;
  endfunction

  // Layers of ternary adders that reduce count numbers to one.
  function automatic int unsigned layers(int unsigned count);
    layers = 0;
    for (int unsigned left = count; left > 1; left = (left + 2) / 3) layers = layers + 1;
  endfunction

  // Register stages from the operands of a unit to the accumulator's input: carries, counters, layers.
  function automatic int unsigned unit_stages(int unsigned word_bits);
    unit_stages = 2 + layers(counters(word_bits / 2));
  endfunction

endpackage
