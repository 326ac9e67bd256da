"""Models of curves in compiled code, y = f(t, x), and the problems that they make with data.

    residual = weights (f(t, x) - y),      jacobian = weights df/dx
"""

from libc.math cimport INFINITY, fabs, sqrt
from libc.stdint cimport uintptr_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

import numpy as np

from lmoo._core.abi1 cimport CompiledProblem
from lmoo._core.model cimport *
from lmoo._core.solve import capsule_contents
from lmoo._core.weights cimport weigh_residual


cdef enum:
    EVALUATED = 64      # fits that are evaluated by one call of a model


cdef int curve_residual(ptrdiff_t m, ptrdiff_t n, const double *x, double *f,
                        void *user_data) noexcept nogil:
    """lmoo_problem.residual; user_data: an lm_curve."""
    cdef const lm_curve *c = <const lm_curve *>user_data
    cdef int code = c.model.values(m, n, c.t, x, f, c.model.user_data)
    if code == 0:
        _to_residual(c, m, f)
    return code


cdef inline void _to_residual(const lm_curve *c, ptrdiff_t m, double *f) noexcept nogil:
    """f = weights (f - y)."""
    cdef ptrdiff_t i
    for i in range(m):
        f[i] -= c.y[i]
    if c.weights != NULL:
        weigh_residual(m, c.weights, f)


cdef int curve_jacobian(ptrdiff_t m, ptrdiff_t n, const double *x, double *fjac,
                        void *user_data) noexcept nogil:
    """lmoo_problem.jacobian; user_data: an lm_curve."""
    cdef const lm_curve *c = <const lm_curve *>user_data
    cdef ptrdiff_t j
    cdef int code
    if c.model.derivatives == NULL:
        return LMOO_NOT_PROVIDED
    code = c.model.derivatives(m, n, c.t, x, fjac, c.model.user_data)
    if code == 0 and c.weights != NULL:
        for j in range(n):
            weigh_residual(m, c.weights, fjac + j * m)
    return code


cdef int curve_both(ptrdiff_t m, ptrdiff_t n, const double *x, double *f, double *fjac,
                    void *user_data) noexcept nogil:
    """lmoo_problem.both, for a model that has it; user_data: an lm_curve."""
    cdef const lm_curve *c = <const lm_curve *>user_data
    cdef int code = c.model.both(m, n, c.t, x, f, fjac, c.model.user_data)
    if code == 0:
        curve_weigh(c, m, n, f, fjac)
    return code


cdef void curve_weigh(const lm_curve *c, ptrdiff_t m, ptrdiff_t n, double *f, double *fjac) noexcept nogil:
    """Convert values and derivatives of the model to the residual and its Jacobian."""
    cdef ptrdiff_t j
    _to_residual(c, m, f)
    if c.weights != NULL:
        for j in range(n):
            weigh_residual(m, c.weights, fjac + j * m)


cdef int curve_rows(ptrdiff_t begin, ptrdiff_t count, ptrdiff_t n, const double *x, double *f, double *fjac,
                    void *user_data) noexcept nogil:
    """lmoo_problem.rows, for a model with derivatives; user_data: an lm_curve."""
    cdef const lm_curve *c = <const lm_curve *>user_data
    cdef lm_curve part = c[0]
    cdef ptrdiff_t k, variables = c.model.variables
    cdef double *points = NULL
    cdef int code = 0
    part.t, part.y = c.t + begin, c.y + begin
    if variables > 1:
        points = <double *>malloc(<size_t>(variables * count) * sizeof(double))
        if points == NULL:
            return LMOO_NOT_PROVIDED
        for k in range(variables):
            memcpy(points + k * count, c.t + begin + k * c.m, <size_t>count * sizeof(double))
        part.t = points
    if c.weights != NULL:
        part.weights = c.weights + begin
    if f != NULL:
        code = curve_residual(count, n, x, f, &part)
    if code == 0 and fjac != NULL:
        code = curve_jacobian(count, n, x, fjac, &part)
    free(points)
    return code


cdef const double *doubles_of(array, int dimensions) except NULL:
    """Return the numbers of a float64 array; TypeError unless it is contiguous and has these dimensions."""
    if not (cnp.PyArray_Check(array) and cnp.PyArray_TYPE(array) == cnp.NPY_DOUBLE
            and cnp.PyArray_NDIM(array) == dimensions and cnp.PyArray_ISCARRAY_RO(array)):
        raise TypeError(f"expected a contiguous float64 array of {dimensions} dimensions; got {array!r}")
    return <const double *>cnp.PyArray_DATA(<cnp.ndarray>array)


cdef enum:
    COMPARED = 4096     # points that are compared at once

# Sums of squares in another order differ by their rounding errors, which must not decide.
cdef double EDGE = 1.0 - 1e-6


cdef enum:
    MOST_DOUBLED = 128      # numbers of a point and a direction


cdef int curve_second(ptrdiff_t m, ptrdiff_t n, const double *x, const double *v, double *out,
                 void *user_data) noexcept nogil:
    """lmoo_problem.second; user_data: an lm_curve."""
    cdef const lm_curve *c = <const lm_curve *>user_data
    cdef double[MOST_DOUBLED] both
    cdef int code
    memcpy(both, x, <size_t>n * sizeof(double))
    memcpy(both + n, v, <size_t>n * sizeof(double))
    code = c.second.values(m, 2 * n, c.t, both, out, c.second.user_data)
    if code == 0 and c.weights != NULL:
        weigh_residual(m, c.weights, out)
    return code


cdef bint _is_close(ptrdiff_t m, const double *expected, const double *found, double close) noexcept nogil:
    """Return whether values are finite, as expected, and differ by no more than close times the largest of these."""
    cdef double size = 0.0, apart = 0.0, total = 0.0
    cdef ptrdiff_t i
    for i in range(m):
        size = max(size, fabs(expected[i]))
        apart = max(apart, fabs(expected[i] - found[i]))
        total += expected[i] - expected[i] + (found[i] - found[i])
    return total == 0.0 and apart <= close * size


cdef bint _follows(const lmoo_model *table, ptrdiff_t m, ptrdiff_t n, const double *t, double *x, double *slopes,
                   double *first, double *second, double share, double close, double hidden) noexcept nogil:
    """Return whether differences of the values agree with the derivatives; see CurveModel.follows.

    x is changed and restored;  slopes (n, m), first, second (m,): work space
    """
    cdef double size = 0.0, total = 0.0, point, norm, scale, width, error, apart
    cdef ptrdiff_t i, j
    if (table.values(m, n, t, x, first, table.user_data) != 0
            or table.derivatives(m, n, t, x, slopes, table.user_data) != 0):
        return False
    for i in range(m):
        size += first[i] * first[i]
    size = sqrt(size)
    for j in range(n):
        norm = apart = 0.0
        for i in range(m):
            norm += slopes[j * m + i] * slopes[j * m + i]
        total += norm
        norm, point = sqrt(norm), x[j]
        scale = size / norm if point == 0.0 else fabs(point)
        if not (norm * scale > EDGE * hidden * size and scale < INFINITY):
            continue
        x[j] = point + share * scale
        width = x[j]
        if table.values(m, n, t, x, first, table.user_data) != 0:
            return False
        x[j] = point - share * scale
        width -= x[j]
        if table.values(m, n, t, x, second, table.user_data) != 0:
            return False
        x[j] = point
        for i in range(m):
            error = (first[i] - second[i]) / width - slopes[j * m + i]
            apart += error * error
        if not sqrt(apart) <= EDGE * close * norm:
            return False
    # Neither of them if a value or a derivative is not finite.
    return size + total < INFINITY


cdef class CurveModel:
    """A model given by a table of functions.

    Parameters
    ----------
    table : PyCapsule
        Of the name ``lmoo_model``, pointing to an ``lmoo_model`` of lmoo.h; what it points to is
        copied, the capsule is kept.
    """

    def __cinit__(self, table, *rest):
        cdef uintptr_t address = capsule_contents(table)[1]
        cdef const lmoo_model *model = <const lmoo_model *>address
        memset(&self.table, 0, sizeof(lmoo_model))
        memcpy(&self.table, model, min(model.size, sizeof(lmoo_model)))
        self.kept = table
        if self.table.n < 1 or self.table.variables < 1 or self.table.values == NULL:
            raise ValueError("table must have n and variables of at least 1, and values")

    @property
    def n(self):
        return self.table.n

    @property
    def variables(self):
        return self.table.variables

    @property
    def has_derivatives(self):
        return self.table.derivatives != NULL

    def evaluate(self, const double[:, :, ::1] t not None, const double[:, ::1] x not None,
                 bint derivatives):
        """Return the model of k fits, (k, m), or its derivatives, (k, n, m), and the codes, (k,).

        t   (k, variables, m), or (1, variables, m) for all;  x (k, n)
        """
        cdef ptrdiff_t i, k = x.shape[0], n = x.shape[1], m = t.shape[2]
        cdef ptrdiff_t stride = 0 if t.shape[0] == 1 else t.shape[1] * m
        cdef ptrdiff_t width = n * m if derivatives else m
        cdef double[:, ::1] out = np.empty((k, width))
        cdef int[::1] codes = np.zeros(k, dtype=np.int32)
        cdef lmoo_model_function function = \
            self.table.derivatives if derivatives else self.table.values
        cdef const double *points[EVALUATED]
        cdef const double *parameters[EVALUATED]
        cdef double *results[EVALUATED]
        cdef ptrdiff_t l, some, first = 0
        with nogil:
            while self.table.many != NULL and first < k:
                some = min(k - first, <ptrdiff_t>EVALUATED)
                for l in range(some):
                    points[l] = &t[0, 0, 0] + (first + l) * stride
                    parameters[l], results[l] = &x[first + l, 0], &out[first + l, 0]
                self.table.many(some, m, n, points, parameters, NULL if derivatives else results,
                                results if derivatives else NULL, self.table.user_data)
                first += some
            for i in range(first, k):
                codes[i] = function(m, n, &t[0, 0, 0] + i * stride, &x[i, 0], &out[i, 0],
                                    self.table.user_data)
        found = np.asarray(out)
        return found.reshape(k, n, m) if derivatives else found, np.asarray(codes)


    def compare(self, t, x, values, bint derivatives):
        """Compare the model with expected values, (m,).

        Returns the largest of their sizes, the largest difference, both infinite if a value is not
        finite, and whether the derivatives are finite; `derivatives` requests their evaluation.

        t   (variables, m);  x (n,);  values (m,);  float64 arrays, contiguous
        """
        cdef const double *at = doubles_of(t, 2)
        cdef const double *point = doubles_of(x, 1)
        cdef const double *expected = doubles_of(values, 1)
        cdef ptrdiff_t n = cnp.PyArray_DIM(x, 0), m = cnp.PyArray_DIM(t, 1), variables = cnp.PyArray_DIM(t, 0)
        cdef ptrdiff_t i, k, begin = 0, count, most = min(m, <ptrdiff_t>COMPARED)
        cdef double size = 0.0, apart = 0.0, total = 0.0, slopes = 0.0
        cdef int code = 0
        if n != self.table.n or variables != self.table.variables or cnp.PyArray_DIM(values, 0) != m:
            raise ValueError("t, x and values must be those of the model")
        # Memory views take longer than the evaluation of a short curve.
        cdef cnp.ndarray memory = np.empty(max(most * n if derivatives else most, 1))
        cdef double *out = <double *>cnp.PyArray_DATA(memory)
        cdef double *copied = NULL
        cdef const double *points
        if variables > 1:
            parts = np.empty(variables * most)
            copied = <double *>cnp.PyArray_DATA(<cnp.ndarray>parts)
        with nogil:
            while begin < m and code == 0:
                count = min(most, m - begin)
                points = at + begin
                if variables > 1:
                    for k in range(variables):
                        memcpy(copied + k * count, at + k * m + begin, <size_t>count * sizeof(double))
                    points = copied
                code = self.table.values(count, n, points, point, out, self.table.user_data)
                if code == 0:
                    for i in range(count):
                        size = max(size, fabs(expected[begin + i]))
                        apart = max(apart, fabs(expected[begin + i] - out[i]))
                        # nan is not seen by max.
                        total += expected[begin + i] - expected[begin + i] + (out[i] - out[i])
                if derivatives and code == 0:
                    code = self.table.derivatives(count, n, points, point, out, self.table.user_data)
                    for i in range(count * n):
                        slopes += out[i] - out[i]
                begin += count
        if total != 0.0 or code != 0:
            size = apart = INFINITY
        return size, apart, code == 0 and slopes == 0.0


    def follows(self, t, x, double share, double close, double hidden, ptrdiff_t points):
        """Return whether central differences of the values show the derivatives by all parameters.

        Parameters of no visible effect are left out.  A derivative that is just within the limit counts as one
        that is not shown; so does one that is not finite.

        t       (variables, m), of which about as many points are compared as requested;  x (n,);  float64,
                contiguous
        share   of a parameter, by which it is changed
        close   largest error of a derivative, as a share of it
        hidden  relative change of the values that is not visible
        """
        cdef const double *at = doubles_of(t, 2)
        cdef const double *point = doubles_of(x, 1)
        cdef ptrdiff_t n = cnp.PyArray_DIM(x, 0), all = cnp.PyArray_DIM(t, 1), variables = cnp.PyArray_DIM(t, 0)
        cdef ptrdiff_t stride = max(all // points, <ptrdiff_t>1), m = (all + stride - 1) // stride, i, k
        if n != self.table.n or variables != self.table.variables:
            raise ValueError("t and x must be those of the model")
        if self.table.derivatives == NULL:
            return False
        cdef cnp.ndarray memory = np.empty((variables + n + 2) * m + n)
        cdef double *place = <double *>cnp.PyArray_DATA(memory)
        cdef double *slopes = place + variables * m
        cdef double *first = slopes + n * m
        cdef double *second = first + m
        cdef double *moved = second + m
        cdef bint found
        for k in range(variables):
            for i in range(m):
                place[k * m + i] = at[k * all + i * stride]
        memcpy(moved, point, <size_t>n * sizeof(double))
        with nogil:
            found = _follows(&self.table, m, n, place, moved, slopes, first, second, share, close, hidden)
        return found


    def first_apart(self, const double[:, :, ::1] t not None, const double[:, ::1] x not None,
                    const double[:, ::1] values not None, ptrdiff_t begin, double close):
        """Return the first fit, from begin on, whose values are not those that it should have; k if none.

        Those are finite and differ by no more than close times the largest of them.

        t   (k, variables, m), or (1, variables, m) for all;  x (k, n);  values (k, m)
        """
        cdef ptrdiff_t l, count, first = begin, k = x.shape[0], n = x.shape[1], m = t.shape[2]
        cdef ptrdiff_t stride = 0 if t.shape[0] == 1 else t.shape[1] * m
        cdef double[:, ::1] out = np.empty((FITS, m))
        cdef const double *points[FITS]
        cdef const double *parameters[FITS]
        cdef double *results[FITS]
        if (n != self.table.n or t.shape[1] != self.table.variables or values.shape[0] != k
                or values.shape[1] != m or t.shape[0] not in (1, k)):
            raise ValueError("t, x and values must be those of the model")
        with nogil:
            while first < k:
                count = min(<ptrdiff_t>FITS, k - first)
                for l in range(count):
                    points[l] = &t[0, 0, 0] + (first + l) * stride
                    parameters[l], results[l] = &x[first + l, 0], &out[l, 0]
                if self.table.many != NULL:
                    self.table.many(count, m, n, points, parameters, results, NULL, self.table.user_data)
                for l in range(count):
                    if self.table.many == NULL and self.table.values(
                            m, n, points[l], parameters[l], results[l], self.table.user_data) != 0:
                        break
                    if not _is_close(m, &values[first + l, 0], results[l], close):
                        break
                else:
                    first += count
                    continue
                first += l
                break
        return first


cdef class CurveModelProblem(CompiledProblem):
    """A model and one curve, as a problem for `Solver`.

    Parameters
    ----------
    model : CurveModel
    t : (variables, m), y : (m,), weights : (m,) or None
        float64, contiguous; kept.
    names : tuple of str or None
        Of the parameters.

    Attributes
    ----------
    data : (model, t, y, weights, ...)
    """

    cdef lm_curve curve
    cdef readonly tuple data
    cdef public object parameter_names

    def __init__(self, CurveModel model not None, t, y, weights, names):
        self.curve.model = &model.table
        self.curve.t = doubles_of(t, 2)
        self.curve.y = doubles_of(y, 1)
        self.curve.m = cnp.PyArray_DIM(y, 0)
        self.curve.weights = NULL
        if weights is not None:
            self.curve.weights = doubles_of(weights, 1)
        super().__init__(self.curve.m, model.table.n)
        self.parameter_names = names
        self.data = (model, t, y, weights)
        self.table.residual = curve_residual
        if model.table.derivatives != NULL:
            self.table.jacobian = curve_jacobian
            self.table.rows = curve_rows
            if model.table.both != NULL:
                self.table.both = curve_both
        self.table.user_data = &self.curve

    @property
    def has_second(self):
        """Whether the second derivatives are known."""
        return self.table.second != NULL

    def use_second(self, CurveModel model not None):
        """Take second derivatives along v from a model of 2 n parameters, x and v, if these are not too many."""
        if model.table.n != 2 * self.n or model.table.variables != (<CurveModel>self.data[0]).table.variables:
            raise ValueError(
                f"the model of second derivatives must have {2 * self.n} parameters and the variables of the model")
        if 2 * self.n <= MOST_DOUBLED:
            self.data += (model,)
            self.curve.second = &model.table
            self.table.second = curve_second
