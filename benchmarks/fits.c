/* Fits of the 3-parameter exponential in a loop, by lmoo and by cminpack, from the same function. */

#include <Python.h>
#include <cminpack.h>
#include <lmoo.h>
#include <math.h>
#include <stdlib.h>

#define M 20
#define N 3

/* user_data: t, then y. */
int c_residual(ptrdiff_t m, ptrdiff_t n, const double *x, double *fvec, void *user_data)
{
    const double *t = user_data, *y = t + M;
    ptrdiff_t i;
    (void)n;
    for (i = 0; i < m; i++)
        fvec[i] = x[0] * exp(-x[1] * t[i]) + x[2] - y[i];
    return 0;
}

static int jacobian(ptrdiff_t m, ptrdiff_t n, const double *x, double *fjac, void *user_data)
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

static int for_lmdif(void *p, int m, int n, const double *x, double *fvec, int iflag)
{
    (void)iflag;
    return c_residual(m, n, x, fvec, p);
}

static int for_lmder(void *p, int m, int n, const double *x, double *fvec, double *fjac, int ldfjac,
                     int iflag)
{
    (void)ldfjac;
    return iflag == 1 ? c_residual(m, n, x, fvec, p) : jacobian(m, n, x, fjac, p);
}

static const double START[N] = {1.0, 1.0, 0.0};
static const double TOLERANCE = 1.49012e-8;

/* count fits; the last solution goes to x.  Returns the evaluations of the last one. */
static int fits(const lmoo_api *lmoo, lmoo_residual_function residual,
                lmoo_jacobian_function jacobian, int count, double *data, double *x)
{
    lmoo_problem problem = {.size = sizeof problem, .m = M, .n = N, .user_data = data,
                            .residual = residual, .jacobian = jacobian};
    lm_options options = {.size = sizeof options, .ftol = TOLERANCE, .xtol = TOLERANCE,
                          .factor = 100.0, .maxfev = 800, .tests = LM_TESTS_MINPACK};
    lmoo_outcome outcome = {sizeof outcome, 0, 0, 0.0, 0, 0, 0, NULL, NULL};
    void *work = malloc(lmoo->work_bytes(M, N));
    int k, j;
    for (k = 0; k < count; k++) {
        for (j = 0; j < N; j++)
            x[j] = START[j];
        lmoo->solve(&problem, NULL, &options, x, NULL, work, &outcome);
    }
    free(work);
    return (int)outcome.nfev;
}

int fits_lmoo(const lmoo_api *lmoo, int count, int analytic, double *data, double *x)
{
    return fits(lmoo, c_residual, analytic ? jacobian : NULL, count, data, x);
}

/* The same of another residual. */
int fits_lmoo_of(const lmoo_api *lmoo, lmoo_residual_function residual, int count, double *data,
                 double *x)
{
    return fits(lmoo, residual, NULL, count, data, x);
}

int fits_cminpack(int count, int analytic, double *data, double *x)
{
    double fvec[M], fjac[M * N], diag[N], qtf[N], wa1[N], wa2[N], wa3[N], wa4[M];
    int ipvt[N], nfev = 0, njev, k, j;
    for (k = 0; k < count; k++) {
        for (j = 0; j < N; j++)
            x[j] = START[j];
        if (analytic)
            lmder(for_lmder, data, M, N, x, fvec, fjac, M, TOLERANCE, TOLERANCE, 0.0, 400, diag, 1,
                  100.0, 0, &nfev, &njev, ipvt, qtf, wa1, wa2, wa3, wa4);
        else
            lmdif(for_lmdif, data, M, N, x, fvec, TOLERANCE, TOLERANCE, 0.0, 800, 0.0, diag, 1, 100.0,
                  0, &nfev, fjac, M, ipvt, qtf, wa1, wa2, wa3, wa4);
    }
    return nfev;
}

/* The evaluations alone: what no solver can do without. */
double evaluations(int count, double *data, const double *x)
{
    double fvec[M], total = 0.0;
    int k;
    for (k = 0; k < count; k++) {
        c_residual(M, N, x, fvec, data);
        total += fvec[k % M];
    }
    return total;
}
