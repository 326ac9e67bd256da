/* A Python module in C that minimises with lmoo: the whole solve is compiled. */

#include <Python.h>
#include <lmoo.h>
#include <stdlib.h>

static const lmoo_api *lmoo;

static int rosenbrock(ptrdiff_t m, ptrdiff_t n, const double *x, double *fvec, void *user_data)
{
    (void)m;
    (void)n;
    ++*(long *)user_data;
    fvec[0] = 10.0 * (x[1] - x[0] * x[0]);
    fvec[1] = 1.0 - x[0];
    return 0;
}

/* minimise(x0, x1) -> (x0, x1, status, nfev, calls) */
static PyObject *minimise(PyObject *self, PyObject *args)
{
    double x[2];
    long calls = 0;
    lmoo_problem problem = {sizeof problem, 2, 2, &calls, rosenbrock, NULL, NULL, 0.0};
    lmoo_outcome outcome = {sizeof outcome, 0, 0, 0.0, 0, 0, 0, NULL, NULL};
    void *work;
    (void)self;
    if (!PyArg_ParseTuple(args, "dd", &x[0], &x[1]))
        return NULL;
    work = malloc(lmoo->work_bytes(2, 2));
    if (work == NULL)
        return PyErr_NoMemory();
    Py_BEGIN_ALLOW_THREADS
    lmoo->solve(&problem, NULL, NULL, x, NULL, work, &outcome);
    Py_END_ALLOW_THREADS
    free(work);
    return Py_BuildValue("ddinl", x[0], x[1], outcome.status, (Py_ssize_t)outcome.nfev, calls);
}

/* minimise_within(x0, x1, upper0) -> (x0, x1, status): the same with x0 <= upper0. */
static PyObject *minimise_within(PyObject *self, PyObject *args)
{
    double x[2], upper[2];
    long calls = 0;
    lmoo_problem problem = {.size = sizeof problem, .m = 2, .n = 2, .user_data = &calls,
                            .residual = rosenbrock};
    lm_options options = {.size = sizeof options};
    lmoo_outcome outcome = {.size = sizeof outcome};
    void *work;
    (void)self;
    if (!PyArg_ParseTuple(args, "ddd", &x[0], &x[1], &upper[0]))
        return NULL;
    work = malloc(lmoo->work_bytes(2, 2));
    if (work == NULL)
        return PyErr_NoMemory();
    lmoo->default_options(&options, 2);
    upper[1] = 1e300;
    options.upper = upper;
    lmoo->solve(&problem, NULL, &options, x, NULL, work, &outcome);
    free(work);
    return Py_BuildValue("ddi", x[0], x[1], outcome.status);
}

static PyMethodDef methods[] = {
    {"minimise_within", minimise_within, METH_VARARGS, "The same from (x0, x1) with x0 <= upper."},
    {"minimise", minimise, METH_VARARGS, "Minimise Rosenbrock's function from (x0, x1)."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "lmoo_example_c.fits", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_fits(void)
{
    lmoo = lmoo_import();
    return lmoo == NULL ? NULL : PyModule_Create(&module);
}
