/* Loops of cminpack's lmder over stacks of curves, with the models in C. */

#include <cminpack.h>
#include <math.h>
#include <stddef.h>

#define MOST_M 32
#define MOST_N 5

static const double TOLERANCE = 1.49012e-8;

typedef struct {
    const double *t, *y;
} curve;

static int decay(void *p, int m, int n, const double *x, double *fvec, double *fjac, int ldfjac, int iflag)
{
    const curve *c = p;
    int i;
    (void)n;
    for (i = 0; i < m; i++) {
        double e = exp(-x[1] * c->t[i]);
        if (iflag == 1) {
            fvec[i] = x[0] * e + x[2] - c->y[i];
            continue;
        }
        fjac[i] = e;
        fjac[i + ldfjac] = -x[0] * c->t[i] * e;
        fjac[i + 2 * ldfjac] = 1.0;
    }
    return 0;
}

static int spot(void *p, int m, int n, const double *x, double *fvec, double *fjac, int ldfjac, int iflag)
{
    const curve *c = p;
    double inverse = 1.0 / x[3];
    int i;
    (void)n;
    for (i = 0; i < m; i++) {
        double u = (c->t[i] - x[1]) * inverse, v = (c->t[m + i] - x[2]) * inverse;
        double e = exp(-0.5 * (u * u + v * v)), g = x[0] * e * inverse;
        if (iflag == 1) {
            fvec[i] = x[0] * e + x[4] - c->y[i];
            continue;
        }
        fjac[i] = e;
        fjac[i + ldfjac] = g * u;
        fjac[i + 2 * ldfjac] = g * v;
        fjac[i + 3 * ldfjac] = g * (u * u + v * v);
        fjac[i + 4 * ldfjac] = 1.0;
    }
    return 0;
}

/* count fits of m points each: y (count, m), x (count, n), the starts on entry, the solutions on return.
   spots: 1 for two independent variables in t (2, m), 0 for one in t (m). */
void fits_of_stack(int spots, int count, int m, int n, const double *t, const double *y, double *x)
{
    double fvec[MOST_M], fjac[MOST_M * MOST_N], diag[MOST_N], qtf[MOST_N];
    double wa1[MOST_N], wa2[MOST_N], wa3[MOST_N], wa4[MOST_M];
    int ipvt[MOST_N], nfev, njev, k;
    for (k = 0; k < count; k++) {
        curve c = {t, y + (ptrdiff_t)k * m};
        lmder(spots ? spot : decay, &c, m, n, x + (ptrdiff_t)k * n, fvec, fjac, m, TOLERANCE, TOLERANCE,
              0.0, 100 * (n + 1), diag, 1, 100.0, 0, &nfev, &njev, ipvt, qtf, wa1, wa2, wa3, wa4);
    }
}
