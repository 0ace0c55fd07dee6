/* Independent chains of one instruction, each sum in a register of its own: as variables, since compilers keep arrays
 * in memory here. Expects X(sum), which appends to one sum. */
#define CHAINS 12
#define DECLARE(type, zero)                                                                                            \
    type s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero, s6 = zero, s7 = zero, s8 = zero, s9 = zero, \
         s10 = zero, s11 = zero
#define ALL_CHAINS X(s0) X(s1) X(s2) X(s3) X(s4) X(s5) X(s6) X(s7) X(s8) X(s9) X(s10) X(s11)
