/* Whether an array that user code was given can be given again with new numbers in it. */

#ifndef LMOO_REUSE_H
#define LMOO_REUSE_H

#include <Python.h>
#include <numpy/arrayobject.h>
#include <stddef.h>

/* Only where the one reference left is ours: no variable, no view, no weak reference of the
   user's can see the change.  Without the GIL a count of references proves nothing. */
static inline int lmoo_can_refill(PyObject *array, ptrdiff_t n)
{
#ifdef Py_GIL_DISABLED
    (void)array;
    (void)n;
    return 0;
#else
    PyArrayObject *x = (PyArrayObject *)array;
    return Py_REFCNT(array) == 1 && PyArray_CheckExact(array) && PyArray_NDIM(x) == 1
        && PyArray_DIM(x, 0) == n && PyArray_TYPE(x) == NPY_DOUBLE
        && PyArray_CHKFLAGS(x, NPY_ARRAY_CARRAY | NPY_ARRAY_OWNDATA)
        && PyArray_ISNOTSWAPPED(x)
        && ((PyArrayObject_fields *)x)->weakreflist == NULL;
#endif
}

#endif /* LMOO_REUSE_H */
