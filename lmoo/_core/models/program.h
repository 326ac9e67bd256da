/* Programs of elementary functions, run over blocks of points.

   A tape is a list of instructions whose operands are arrays of doubles: rows of LMOO_ROW equal numbers for values
   that do not depend on the point (constants, parameters and results computed from them), and registers of a block
   of points for the others.  The uniform instructions are run once per call, on one vector; the others once per
   block.  Memory is allocated on the stack only and not shared: threads can run the same tape at the same time.

   One body, program_body.inc, is compiled for several instruction sets, see vectors.h.  The results have the same
   bits with each of them, except for functions of libm. */

#ifndef LMOO_PROGRAM_H
#define LMOO_PROGRAM_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(_MSC_VER)
#include <malloc.h>
#define LMOO_ALLOCA _alloca
#else
#define LMOO_ALLOCA __builtin_alloca
#endif
#if defined(__GNUC__)
#define LMOO_NEVER __builtin_unreachable()
#else
#define LMOO_NEVER break
#endif

#include "vectors.h"

/* Doubles in a row of equal ones: a vector of the widest instruction set. */
#define LMOO_ROW 8
/* Most points in a block, and, if possible, most doubles in the registers of a block. */
#define LMOO_BLOCK 384
#define LMOO_CACHE 3072
/* Longer curves are as fast one by one as in lanes. */
#define LMOO_LONG 48
/* Lanes of the plain instruction set. */
#if defined(__GNUC__)
#define LMOO_PLAIN_LANES 2
#else
#define LMOO_PLAIN_LANES 1
#endif

/* ---- operations ----------------------------------------------------------------------------- */

/* Arithmetic of two operands, each of them a block (v) or a row (s): an instruction is one of these operations,
   followed by one of the next list on its result. */
#define LMOO_FIRST_OPERATIONS(X)                                                                   \
    X(copy_v, A)                                                                                   \
    X(add_vv, A + B) X(add_vs, A + BS) X(subtract_vv, A - B) X(subtract_vs, A - BS)                \
    X(subtract_sv, AS - B) X(multiply_vv, A * B) X(multiply_vs, A * BS) X(divide_vv, A / B)        \
    X(divide_vs, A / BS) X(divide_sv, AS / B)

#define LMOO_SECOND_OPERATIONS(X, first, value)                                                    \
    X(first, nothing, value, v)                                                                    \
    X(first, add_v, value, v + C) X(first, add_s, value, v + CS)                                   \
    X(first, subtract_v, value, v - C) X(first, subtract_s, value, v - CS)                         \
    X(first, from_v, value, C - v) X(first, from_s, value, CS - v)                                 \
    X(first, multiply_v, value, v * C) X(first, multiply_s, value, v * CS)                         \
    X(first, squared, value, v * v)                                                                \
    X(first, divide_v, value, v / C) X(first, divide_s, value, v / CS)                             \
    X(first, under_v, value, C / v) X(first, under_s, value, CS / v)

/* Vectorised operations and elementary functions of one operand. */
#define LMOO_VECTOR_FUNCTIONS(X)                                                                   \
    X(negative, -x)                                                                                \
    X(absolute, LMOO_ABS(x))                                                                       \
    X(exp, LMOO_F(exp)(x))                                                                         \
    X(exp2, LMOO_F(exp2)(x))                                                                       \
    X(expm1, LMOO_F(expm1)(x))                                                                     \
    X(log, LMOO_F(log)(x))                                                                         \
    X(log2, LMOO_F(log2)(x))                                                                       \
    X(log10, LMOO_F(log10)(x))                                                                     \
    X(log1p, LMOO_F(log1p)(x))                                                                     \
    X(tan, LMOO_F(tan)(x))                                                                         \
    X(arctan, LMOO_F(arctan)(x))                                                                   \
    X(tanh, LMOO_F(tanh)(x))                                                                       \
    X(expit, LMOO_F(expit)(x))                                                                     \
    X(sign, LMOO_PICK(LMOO_LESS(x, 0.0), LMOO_ALL(-1.0), LMOO_PICK(LMOO_LESS(0.0, x),              \
                      LMOO_ALL(1.0), LMOO_PICK(LMOO_SAME(x, x), LMOO_ALL(0.0), x))))               \
    X(logical_not, LMOO_TRUTH(LMOO_SAME(x, 0.0)))                                                  \
    X(isnan, LMOO_TRUTH(~LMOO_SAME(x, x)))                                                         \
    X(isfinite, LMOO_TRUTH(LMOO_LESS(LMOO_ABS(x), HUGE_VAL)))

/* Those of two operands, with numpy's rules for NaN. */
#define LMOO_VECTOR_BINARIES(X)                                                                    \
    X(power, LMOO_F(power)(x, y))                                                                  \
    X(minimum, LMOO_PICK(LMOO_LESS(x, y) | ~LMOO_SAME(x, x), x, y))                                \
    X(maximum, LMOO_PICK(LMOO_LESS(y, x) | ~LMOO_SAME(x, x), x, y))                                \
    X(fmin, LMOO_PICK(LMOO_LESS(x, y) | ~LMOO_SAME(y, y), x, y))                                   \
    X(fmax, LMOO_PICK(LMOO_LESS(y, x) | ~LMOO_SAME(y, y), x, y))                                   \
    X(copysign, LMOO_F(with_sign)(x, y))                                                           \
    X(heaviside, LMOO_PICK(LMOO_LESS(x, 0.0), LMOO_ALL(0.0), LMOO_PICK(LMOO_LESS(0.0, x),          \
                           LMOO_ALL(1.0), LMOO_PICK(LMOO_SAME(x, x), y, x))))                      \
    X(less, LMOO_TRUTH(LMOO_LESS(x, y)))                                                           \
    X(less_equal, LMOO_TRUTH(LMOO_LESS(x, y) | LMOO_SAME(x, y)))                                   \
    X(greater, LMOO_TRUTH(LMOO_LESS(y, x)))                                                        \
    X(greater_equal, LMOO_TRUTH(LMOO_LESS(y, x) | LMOO_SAME(x, y)))                                \
    X(equal, LMOO_TRUTH(LMOO_SAME(x, y)))                                                          \
    X(not_equal, LMOO_TRUTH(~LMOO_SAME(x, y)))                                                     \
    X(logical_and, LMOO_TRUTH(~(LMOO_SAME(x, 0.0) | LMOO_SAME(y, 0.0))))                           \
    X(logical_or, LMOO_TRUTH(~(LMOO_SAME(x, 0.0) & LMOO_SAME(y, 0.0))))                            \
    X(logical_xor, LMOO_TRUTH(LMOO_SAME(x, 0.0) ^ LMOO_SAME(y, 0.0)))

/* Functions in loops that compilers vectorise if the processor has instructions for them. */
#define LMOO_ROUNDINGS(X) X(sqrt) X(floor) X(ceil) X(trunc) X(rint)

/* Those of scipy.special.cython_special, whose addresses are set when a program first needs one. */
#define LMOO_SCIPY_FUNCTIONS(X)                                                                    \
    X(exp1) X(expi) X(k0) X(k1) X(k0e) X(k1e) X(i0e) X(i1e) X(ellipk) X(ellipe) X(ndtri) X(erfinv) \
    X(spence)

#define LMOO_SCIPY_BINARIES(X) X(gammainc) X(gammaincc) X(jv) X(yv) X(iv) X(kv)

/* Functions that are evaluated point by point. */
#define LMOO_SCALAR_FUNCTIONS(X)                                                                   \
    X(cbrt, lmoo_cbrt) X(arcsin, asin) X(arccos, acos) X(sinh, sinh) X(cosh, cosh) X(arcsinh, asinh)    \
    X(arccosh, acosh) X(arctanh, atanh) X(sinc, lmoo_sinc) X(erf, erf) X(erfc, erfc)               \
    X(erfcx, lmoo_erfcx) X(gamma, tgamma) X(gammaln, lmoo_gammaln) X(digamma, lmoo_digamma)              \
    X(trigamma, lmoo_trigamma) X(i0, lmoo_i0) X(i1, lmoo_i1) X(j0, lmoo_j0) X(j1, lmoo_j1)         \
    X(lambertw, lmoo_lambertw)

#define LMOO_SCALAR_BINARIES(X)                                                                    \
    X(mod, lmoo_mod) X(fmod, fmod) X(floor_divide, lmoo_floor_divide) X(arctan2, atan2)            \
    X(hypot, hypot)

/* Other instructions: the end of the uniform ones, sine or cosine or both into one or two
   registers, the Faddeeva function likewise, a choice, exp of the result of an arithmetic operation, exp(a b)
   together with its product by c and a. */
#define LMOO_OTHER_OPERATIONS(X) X(points) X(sin) X(cos) X(sincos) X(wofz_real) X(wofz_imag) X(wofz)     \
    X(where) X(exp_multiply_vs) X(decay) X(exp_square_multiply_s) X(square_add_s_under_s)

enum {
#define LMOO_CODE(first, second, value, next) LMOO_CODE_##first##_then_##second,
#define LMOO_CODES(first, value) LMOO_SECOND_OPERATIONS(LMOO_CODE, first, value)
    LMOO_BEFORE_ARITHMETIC = -1,
    LMOO_FIRST_OPERATIONS(LMOO_CODES)
#undef LMOO_CODES
#undef LMOO_CODE
#define LMOO_CODE(name, value) LMOO_CODE_##name,
    LMOO_VECTOR_FUNCTIONS(LMOO_CODE) LMOO_VECTOR_BINARIES(LMOO_CODE)
    LMOO_SCALAR_FUNCTIONS(LMOO_CODE) LMOO_SCALAR_BINARIES(LMOO_CODE)
#undef LMOO_CODE
#define LMOO_CODE(name) LMOO_CODE_##name,
    LMOO_ROUNDINGS(LMOO_CODE) LMOO_OTHER_OPERATIONS(LMOO_CODE)
    LMOO_SCIPY_FUNCTIONS(LMOO_CODE) LMOO_SCIPY_BINARIES(LMOO_CODE)
#undef LMOO_CODE
    LMOO_CODES,
    LMOO_FIRST_OF_SCIPY = LMOO_CODE_exp1
};

/* The names of the codes, in their order. */
static const char *const lmoo_operation_names[] = {
#define LMOO_TEXT(first, second, value, next) #first "+" #second,
#define LMOO_TEXTS(first, value) LMOO_SECOND_OPERATIONS(LMOO_TEXT, first, value)
    LMOO_FIRST_OPERATIONS(LMOO_TEXTS)
#undef LMOO_TEXTS
#undef LMOO_TEXT
#define LMOO_TEXT(name, value) #name,
    LMOO_VECTOR_FUNCTIONS(LMOO_TEXT) LMOO_VECTOR_BINARIES(LMOO_TEXT)
    LMOO_SCALAR_FUNCTIONS(LMOO_TEXT) LMOO_SCALAR_BINARIES(LMOO_TEXT)
#undef LMOO_TEXT
#define LMOO_TEXT(name) #name,
    LMOO_ROUNDINGS(LMOO_TEXT) LMOO_OTHER_OPERATIONS(LMOO_TEXT)
    LMOO_SCIPY_FUNCTIONS(LMOO_TEXT) LMOO_SCIPY_BINARIES(LMOO_TEXT)
#undef LMOO_TEXT
};

/* ---- tapes ---------------------------------------------------------------------------------- */

/* The position of an operand: doubles from the start of one of the areas below. */
typedef struct lmoo_operand {
    int32_t area, offset;
} lmoo_operand;

enum {
    LMOO_CONSTANTS,     /* rows */
    LMOO_UNIFORM,       /* rows: the parameters, and results computed from them */
    LMOO_REGISTERS,     /* a block each */
    LMOO_FIRST_DATA     /* the independent variables, one area each, and then the outputs */
};

typedef struct lmoo_instruction {
    int32_t code, unused;
    lmoo_operand out, out2, a, b, c;
} lmoo_instruction;

typedef struct lmoo_tape {
    ptrdiff_t n, variables, outputs;
    const lmoo_instruction *all;            /* the uniform instructions, `points`, those for blocks */
    const lmoo_instruction *block;          /* from `points` on */
    const lmoo_instruction *end;
    const lmoo_operand *ends;               /* of each output: a row, or its own area */
    double *constants;                      /* rows */
    ptrdiff_t rows;                         /* in the uniform area */
    ptrdiff_t registers;
    ptrdiff_t points;                       /* in a block: a multiple of LMOO_ROW */
} lmoo_tape;

/* Return the doubles of work space for a run. */
static inline ptrdiff_t lmoo_tape_work(const lmoo_tape *tape)
{
    return LMOO_ROW * tape->rows
        + tape->points * (tape->registers + tape->variables + tape->outputs);
}

/* Return the number of areas of a run. */
static inline ptrdiff_t lmoo_tape_areas(const lmoo_tape *tape)
{
    return LMOO_FIRST_DATA + tape->variables + tape->outputs;
}

#ifndef LMOO_TAPES_ONLY

typedef void (*lmoo_run)(const lmoo_tape *tape, ptrdiff_t m, const double *t, const double *x,
                         double *first, double *rest, double **areas, double *work);

/* The same for `count` fits. */
typedef void (*lmoo_run_lanes)(const lmoo_tape *tape, ptrdiff_t count, ptrdiff_t m, const double *const *t,
                               const double *const *x, double *const *first, double *const *rest,
                               double **areas, double *work);

typedef struct lmoo_runner {
    lmoo_run run;                           /* NULL: the processor does not have the instruction set */
    lmoo_run_lanes run_lanes;
    ptrdiff_t lanes;
} lmoo_runner;

#include "special.h"

/* The functions of scipy.special by their codes; the last argument is Cython's. */
static void *lmoo_scipy[LMOO_CODES - LMOO_FIRST_OF_SCIPY];

static double lmoo_of_one(int code, double x)
{
    void *f = lmoo_scipy[code - LMOO_FIRST_OF_SCIPY];
    return f == NULL ? NAN : ((double (*)(double, int))f)(x, 0);
}

static double lmoo_of_two(int code, double a, double x)
{
    void *f = lmoo_scipy[code - LMOO_FIRST_OF_SCIPY];
    return f == NULL ? NAN : ((double (*)(double, double, int))f)(a, x, 0);
}

/* ---- the bodies ----------------------------------------------------------------------------- */

#define LMOO_BODY "models/program_body.inc"
#include "vector_bodies.inc"

/* Return the functions for an instruction set by its name, NULL for the widest of the processor. */
static lmoo_runner lmoo_runner_of(const char *target)
{
    const lmoo_runner none = {NULL, NULL, 0}, plain = {lmoo_run_plain, lmoo_run_lanes_plain, LMOO_PLAIN_LANES};
#if defined(__GNUC__) && defined(__x86_64__)
    const lmoo_runner avx512 = {lmoo_run_avx512, lmoo_run_lanes_avx512, 8};
    const lmoo_runner avx2 = {lmoo_run_avx2, lmoo_run_lanes_avx2, 4};
    if ((target == NULL || strcmp(target, "avx512") == 0) && LMOO_HAS_VECTORS_OF_8)
        return avx512;
    if ((target == NULL || strcmp(target, "avx2") == 0) && LMOO_HAS_VECTORS_OF_4)
        return avx2;
#endif
    return target == NULL || strcmp(target, "plain") == 0 ? plain : none;
}

#define LMOO_WORK(memory, areas, tape)                                                             \
    size_t bytes_ = (size_t)lmoo_tape_work(tape) * sizeof(double);                                 \
    char *memory = (char *)LMOO_ALLOCA((size_t)lmoo_tape_areas(tape) * sizeof(double *) + bytes_ + 128); \
    double **areas;                                                                                \
    memory += (64 - (uintptr_t)memory % 64) % 64;                                                  \
    areas = (double **)(memory + bytes_)

/* Run a tape at m points: the first output to `first`, the others to `rest`, m doubles each. */
static void lmoo_run_tape(const lmoo_runner *runner, const lmoo_tape *tape, ptrdiff_t m, const double *t,
                          const double *x, double *first, double *rest)
{
    LMOO_WORK(memory, areas, tape);
    runner->run(tape, m, t, x, first, rest, areas, (double *)memory);
}

/* The same for many fits, whose outputs are at the distance of m doubles from each other. */
static void lmoo_run_tapes(const lmoo_runner *runner, const lmoo_tape *tape, ptrdiff_t count, ptrdiff_t m,
                           const double *const *t, const double *const *x, double *const *first,
                           double *const *rest)
{
    const ptrdiff_t rest_of_group = count % runner->lanes;
    ptrdiff_t l = m > LMOO_LONG ? 0 : 2 * rest_of_group > runner->lanes ? count : count - rest_of_group;
    LMOO_WORK(memory, areas, tape);
    if (l > 0)
        runner->run_lanes(tape, l, m, t, x, first, rest, areas, (double *)memory);
    for (; l < count; l++)
        runner->run(tape, m, t[l], x[l], first[l], rest[l], areas, (double *)memory);
}

#endif /* LMOO_TAPES_ONLY */

#endif /* LMOO_PROGRAM_H */
