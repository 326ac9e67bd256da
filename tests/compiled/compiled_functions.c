/* Residuals for the tests of compiled problems.  user_data: m doubles t, then m doubles y. */

#include <math.h>
#include <stddef.h>

int decay(ptrdiff_t m, ptrdiff_t n, const double *x, double *fvec, void *user_data)
{
    const double *t = user_data, *y = t + m;
    ptrdiff_t i;
    (void)n;
    for (i = 0; i < m; i++)
        fvec[i] = x[0] * exp(-x[1] * t[i]) + x[2] - y[i];
    return 0;
}

int decay_jacobian(ptrdiff_t m, ptrdiff_t n, const double *x, double *fjac, void *user_data)
{
    const double *t = user_data;
    ptrdiff_t i;
    (void)n;
    for (i = 0; i < m; i++) {
        fjac[i] = exp(-x[1] * t[i]);
        fjac[i + m] = -x[0] * t[i] * fjac[i];
        fjac[i + 2 * m] = 1.0;
    }
    return 0;
}

/* log(x) - 1; user_data: the int that is returned for x <= 0. */
int logarithm(ptrdiff_t m, ptrdiff_t n, const double *x, double *fvec, void *user_data)
{
    (void)m;
    (void)n;
    if (x[0] <= 0.0)
        return *(const int *)user_data;
    fvec[0] = log(x[0]) - 1.0;
    return 0;
}

int not_finite(ptrdiff_t m, ptrdiff_t n, const double *x, double *fvec, void *user_data)
{
    (void)m;
    (void)n;
    (void)user_data;
    fvec[0] = log(x[0]);
    return 0;
}

/* A minimum that is approached for ever; each evaluation takes some tenth of a millisecond. */
int endless(ptrdiff_t m, ptrdiff_t n, const double *x, double *fvec, void *user_data)
{
    volatile double total = 0.0;
    ptrdiff_t i;
    (void)user_data;
    (void)n;
    for (i = 0; i < 20000; i++)
        total += sin((double)i);
    for (i = 0; i < m; i++)
        fvec[i] = exp(-x[0]) + 0.0 * total;
    return 0;
}

/* Geman and McClure's loss with its derivatives; user_data: NULL, or the int that is returned. */
int geman_mcclure(ptrdiff_t m, const double *z, double *rho, void *user_data)
{
    ptrdiff_t i;
    for (i = 0; i < m; i++) {
        double w = 1.0 / (1.0 + z[i]);
        rho[i] = z[i] * w;
        rho[m + i] = w * w;
        rho[2 * m + i] = -2.0 * w * w * w;
    }
    return user_data == NULL ? 0 : *(const int *)user_data;
}

/* Twice what a loss is. */
int twice(ptrdiff_t m, const double *z, double *rho, void *user_data)
{
    ptrdiff_t i;
    (void)user_data;
    for (i = 0; i < m; i++) {
        rho[i] = 2.0 * z[i];
        rho[m + i] = 2.0;
        rho[2 * m + i] = 0.0;
    }
    return 0;
}
