/* GSL's nonlinear least squares behind a plain function, for ctypes. */

#include <gsl/gsl_blas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <stdlib.h>
#include <string.h>

typedef int (*evaluation)(const double *x, double *out);

typedef struct {
    evaluation residual, jacobian;
    double *x, *out; /* contiguous: GSL's own vectors may be columns of a matrix */
} callbacks;

static const double *point(const gsl_vector *x, const callbacks *call)
{
    size_t j;
    for (j = 0; j < x->size; j++)
        call->x[j] = gsl_vector_get(x, j);
    return call->x;
}

static int residual(const gsl_vector *x, void *params, gsl_vector *f)
{
    const callbacks *call = params;
    size_t i;
    if (call->residual(point(x, call), call->out))
        return GSL_EBADFUNC;
    for (i = 0; i < f->size; i++)
        gsl_vector_set(f, i, call->out[i]);
    return GSL_SUCCESS;
}

static int jacobian(const gsl_vector *x, void *params, gsl_matrix *J)
{
    const callbacks *call = params;
    size_t i, j;
    if (call->jacobian(point(x, call), call->out))
        return GSL_EBADFUNC;
    for (i = 0; i < J->size1; i++)
        for (j = 0; j < J->size2; j++)
            gsl_matrix_set(J, i, j, call->out[i * J->size2 + j]);
    return GSL_SUCCESS;
}

/* Solve from x, which is overwritten.  The residual and the row-major Jacobian return nonzero to
   stop; without a Jacobian it is NULL.  Returns GSL's status, 0 for convergence. */
int gsl_solve(int m, int n, double *x, evaluation f, evaluation J, int geodesic, int iterations,
              double xtol, double gtol, double ftol)
{
    gsl_set_error_handler_off();
    gsl_multifit_nlinear_parameters options = gsl_multifit_nlinear_default_parameters();
    options.trs = geodesic ? gsl_multifit_nlinear_trs_lmaccel : gsl_multifit_nlinear_trs_lm;
    double *memory = malloc(((size_t)n + (size_t)m * n) * sizeof(double));
    if (!memory)
        return GSL_ENOMEM;
    callbacks call = {f, J, memory, memory + n};
    gsl_multifit_nlinear_fdf problem = {
        .f = residual, .df = J ? jacobian : NULL, .fvv = NULL, .n = m, .p = n, .params = &call};
    gsl_vector_view start = gsl_vector_view_array(x, n);
    gsl_multifit_nlinear_workspace *work =
        gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &options, m, n);
    if (!work) {
        free(memory);
        return GSL_ENOMEM;
    }
    int info = 0;
    int status = gsl_multifit_nlinear_init(&start.vector, &problem, work);
    if (status == GSL_SUCCESS)
        status = gsl_multifit_nlinear_driver(iterations, xtol, gtol, ftol, NULL, NULL, &info, work);
    memcpy(x, gsl_multifit_nlinear_position(work)->data, n * sizeof(double));
    gsl_multifit_nlinear_free(work);
    free(memory);
    return status;
}
