/* Models and their derivatives by hand, for benchmarks/program.py; m is a multiple of a vector's width.

   The Voigt profile, one loop over vectors around the Faddeeva function of lmoo's programs:

     y = a Re w(z) + c,  z = ((t - b) + i g) / (s sqrt(2)),  w' = -2 z w + 2 i / sqrt(pi) */

#include "models/program.h"

#if defined(__x86_64__)
#define TARGET __attribute__((target("avx2")))
#define NAME(name) lmoo_##name##_avx2
typedef lmoo_v4 vector;
enum { WIDTH = 4 };
#else
#define TARGET
#define NAME(name) lmoo_##name##_plain
typedef lmoo_v2 vector;
enum { WIDTH = 2 };
#endif

TARGET
void voigt(ptrdiff_t k, ptrdiff_t m, int derivatives, const double *t, const double *x, double *out)
{
    ptrdiff_t i, l;
    for (l = 0; l < k; l++, out += (derivatives ? 5 : 1) * m) {
        const double inverse = 1.0 / (x[2] * 1.4142135623730951), y = x[3] * inverse;
        const vector none = {0};
        for (i = 0; i < m; i += WIDTH) {
            vector u = (*(const vector *)(t + i) - x[1]) * inverse, re, im;
            NAME(wofz)(u, y - none, &re, &im);
            if (!derivatives) {
                *(vector *)(out + i) = x[0] * re + x[4];
                continue;
            }
            vector by_u = -2.0 * (u * re - y * im), by_y = -(-2.0 * (u * im + y * re) + 1.1283791670955126);
            *(vector *)(out + i) = re;
            *(vector *)(out + m + i) = -x[0] * inverse * by_u;
            *(vector *)(out + 2 * m + i) = -x[0] / x[2] * (by_u * u + by_y * y);
            *(vector *)(out + 3 * m + i) = x[0] * inverse * by_y;
            *(vector *)(out + 4 * m + i) = 1.0 - none;
        }
    }
}

/* a exp(-b t) + c exp(-d t) + e, in one loop over vectors. */
TARGET
void biexponential(ptrdiff_t k, ptrdiff_t m, int derivatives, const double *t, const double *x,
                   double *out)
{
    ptrdiff_t i, l;
    for (l = 0; l < k; l++, out += (derivatives ? 5 : 1) * m) {
        const vector none = {0};
        for (i = 0; i < m; i += WIDTH) {
            vector at = *(const vector *)(t + i);
            vector fast = NAME(exp)(-x[1] * at), slow = NAME(exp)(-x[3] * at);
            if (!derivatives) {
                *(vector *)(out + i) = x[0] * fast + x[2] * slow + x[4];
                continue;
            }
            *(vector *)(out + i) = fast;
            *(vector *)(out + m + i) = -x[0] * at * fast;
            *(vector *)(out + 2 * m + i) = slow;
            *(vector *)(out + 3 * m + i) = -x[2] * at * slow;
            *(vector *)(out + 4 * m + i) = 1.0 - none;
        }
    }
}
