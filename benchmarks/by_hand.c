/* Models and their derivatives by hand, for benchmarks/program.py; m is a multiple of a vector's width.

   The Voigt profile, one loop over vectors around the Faddeeva function of lmoo's programs:

     y = a Re w(z) + c,  z = ((t - b) + i g) / (s sqrt(2)),  w' = -2 z w + 2 i / sqrt(pi) */

#include "lmoo.h"
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
static int voigt(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *out, void *data)
{
    const double inverse = 1.0 / (x[2] * 1.4142135623730951), y = x[3] * inverse;
    const vector none = {0};
    ptrdiff_t i;
    for (i = 0; i < m; i += WIDTH) {
        vector u = (*(const vector *)(t + i) - x[1]) * inverse, re, im;
        NAME(wofz)(u, y - none, &re, &im);
        *(vector *)(out + i) = x[0] * re + x[4];
    }
    return 0;
}

TARGET
static int voigt_derivatives(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *out, void *data)
{
    const double inverse = 1.0 / (x[2] * 1.4142135623730951), y = x[3] * inverse;
    const vector none = {0};
    ptrdiff_t i;
    for (i = 0; i < m; i += WIDTH) {
        vector u = (*(const vector *)(t + i) - x[1]) * inverse, re, im, by_u, by_y;
        NAME(wofz)(u, y - none, &re, &im);
        by_u = -2.0 * (u * re - y * im);
        by_y = -(-2.0 * (u * im + y * re) + 1.1283791670955126);
        *(vector *)(out + i) = re;
        *(vector *)(out + m + i) = -x[0] * inverse * by_u;
        *(vector *)(out + 2 * m + i) = -x[0] / x[2] * (by_u * u + by_y * y);
        *(vector *)(out + 3 * m + i) = x[0] * inverse * by_y;
        *(vector *)(out + 4 * m + i) = 1.0 - none;
    }
    return 0;
}

const lmoo_model voigt_model = {sizeof(lmoo_model), 5, 1, NULL, voigt, voigt_derivatives, NULL, NULL};

/* a exp(-b t) + c exp(-d t) + e, in one loop over vectors. */
TARGET
static int biexponential(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *out, void *data)
{
    ptrdiff_t i;
    for (i = 0; i < m; i += WIDTH) {
        vector at = *(const vector *)(t + i);
        *(vector *)(out + i) = x[0] * NAME(exp)(-x[1] * at) + x[2] * NAME(exp)(-x[3] * at) + x[4];
    }
    return 0;
}

TARGET
static int biexponential_derivatives(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *out,
                                     void *data)
{
    const vector none = {0};
    ptrdiff_t i;
    for (i = 0; i < m; i += WIDTH) {
        vector at = *(const vector *)(t + i);
        vector fast = NAME(exp)(-x[1] * at), slow = NAME(exp)(-x[3] * at);
        *(vector *)(out + i) = fast;
        *(vector *)(out + m + i) = -x[0] * at * fast;
        *(vector *)(out + 2 * m + i) = slow;
        *(vector *)(out + 3 * m + i) = -x[2] * at * slow;
        *(vector *)(out + 4 * m + i) = 1.0 - none;
    }
    return 0;
}

const lmoo_model biexponential_model = {sizeof(lmoo_model), 5, 1, NULL, biexponential, biexponential_derivatives,
                                        NULL, NULL};
