/* Whether every entry of an array is finite, and when a sum of squares is to be trusted. */

#ifndef LMOO_FINITE_H
#define LMOO_FINITE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Within these bounds of the sum of squares nothing that counts has overflowed or been lost to
   underflow, so the plain sum is as good as the scaled one (and rounds as MINPACK's middle sum
   does). */
#define LMOO_SMALL_SUM 1e-280
#define LMOO_LARGE_SUM 1e300

/* x - x is +0.0, all bits zero, for a finite x, and NaN for any other.  An or of bits has no order
   to keep, unlike a sum of doubles, so the compiler can take as many lanes as there are.  */
static inline int lmoo_all_finite(ptrdiff_t n, const double *x)
{
    uint64_t bits, any = 0;
    ptrdiff_t i;
    for (i = 0; i < n; i++) {
        double difference = x[i] - x[i];
        memcpy(&bits, &difference, sizeof bits);
        any |= bits;
    }
    return any == 0;
}

#endif /* LMOO_FINITE_H */
