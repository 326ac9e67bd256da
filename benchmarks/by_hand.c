/* Models and their derivatives by hand, for benchmarks/program.py; m is a multiple of a vector's width.

   The Voigt profile, one loop over vectors around the Faddeeva function of lmoo's programs:

     y = a Re w(z) + c,  z = ((t - b) + i g) / (s sqrt(2)),  w' = -2 z w + 2 i / sqrt(pi) */

#include "program.h"
#include "vexp.h"

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

/* a exp(-b t) + c exp(-d t) + e. */
TARGET
void biexponential(ptrdiff_t k, ptrdiff_t m, int derivatives, const double *t, const double *x,
                   double *out)
{
    ptrdiff_t i, l;
    for (l = 0; l < k; l++, out += (derivatives ? 5 : 1) * m) {
        if (derivatives) {
            for (i = 0; i < m; i++) {
                out[i] = -x[1] * t[i];
                out[2 * m + i] = -x[3] * t[i];
            }
            lmoo_exp(m, out);
            lmoo_exp(m, out + 2 * m);
            for (i = 0; i < m; i++) {
                out[m + i] = -x[0] * t[i] * out[i];
                out[3 * m + i] = -x[2] * t[i] * out[2 * m + i];
                out[4 * m + i] = 1.0;
            }
            continue;
        }
        double second[128];
        ptrdiff_t start, some;
        for (start = 0; start < m; start += some) {
            some = m - start < 128 ? m - start : 128;
            for (i = 0; i < some; i++) {
                out[start + i] = -x[1] * t[start + i];
                second[i] = -x[3] * t[start + i];
            }
            lmoo_exp(some, out + start);
            lmoo_exp(some, second);
            for (i = 0; i < some; i++)
                out[start + i] = x[0] * out[start + i] + x[2] * second[i] + x[4];
        }
    }
}
