/* Whether every entry of an array is finite, and the range of accurate sums of squares. */

#ifndef LMOO_FINITE_H
#define LMOO_FINITE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Within these limits of the sum of squares no significant term has overflowed or underflowed, so the plain sum is
   as accurate as the scaled one (and rounds as MINPACK's middle sum does). */
#define LMOO_SMALL_SUM 1e-280
#define LMOO_LARGE_SUM 1e300

/* x - x is +0.0, all bits zero, for a finite x, and NaN for any other.  A bitwise or may be computed in any
   order, unlike a sum of doubles, so the compiler can vectorise the loop.  */
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
