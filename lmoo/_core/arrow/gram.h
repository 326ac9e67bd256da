/* Products of rows that touch few of many columns, and the Cholesky factor of their sum, vectorised.

   One body, gram_body.inc, is compiled for several instruction sets, and each call tests which of them the processor
   has, as fold/simd.h does.  Rows are row-major, padded with zeros to a multiple of LMOO_LANES. */

#ifndef LMOO_GRAM_H
#define LMOO_GRAM_H

#include <math.h>
#include <stddef.h>

#include "../fold/simd.h"

/* Columns that the Cholesky factor eliminates before the rest is updated. */
#define LMOO_CHOLESKY_BLOCK 32

#if defined(__GNUC__) && defined(__x86_64__)
#include <immintrin.h>

#define LMOO_SUFFIX avx512
#define LMOO_TARGET __attribute__((target("avx512f,avx512dq,avx512vl,fma")))
#define LMOO_VECTOR lmoo_vector8
#define LMOO_WIDTH 8
#define LMOO_SPREAD(x) ((LMOO_VECTOR)_mm512_set1_pd(x))
#define LMOO_ADD_PRODUCT(a, b, c) ((LMOO_VECTOR)_mm512_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c)))
#include "gram_body.inc"

#define LMOO_SUFFIX avx2
#define LMOO_TARGET __attribute__((target("avx2,fma")))
#define LMOO_VECTOR lmoo_vector4
#define LMOO_WIDTH 4
#define LMOO_SPREAD(x) ((LMOO_VECTOR)_mm256_set1_pd(x))
#define LMOO_ADD_PRODUCT(a, b, c) ((LMOO_VECTOR)_mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c)))
#include "gram_body.inc"
#endif

#ifndef LMOO_LOAD
#define LMOO_PASTE_(a, b) a##b
#define LMOO_PASTE(a, b) LMOO_PASTE_(a, b)
#define LMOO_LOAD(p) (*(p))
#define LMOO_STORE(p, v) (*(p) = (v))
#endif
#define LMOO_SUFFIX plain
#define LMOO_TARGET
#define LMOO_VECTOR double
#define LMOO_WIDTH 1
#define LMOO_SPREAD(x) (x)
#define LMOO_ADD_PRODUCT(a, b, c) ((a) * (b) + (c))
#include "gram_body.inc"

#if defined(__GNUC__) && defined(__x86_64__)
#define LMOO_CHOSEN(name, ...)                                                                     \
    (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") \
         ? name##_avx512(__VA_ARGS__)                                                              \
     : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? name##_avx2(__VA_ARGS__)  \
                                                                       : name##_plain(__VA_ARGS__))
#else
#define LMOO_CHOSEN(name, ...) name##_plain(__VA_ARGS__)
#endif

/* Add A^T A to the upper triangle of h, column-major.

     a        rows x lda: width columns and then the right side
     columns  their places in h, ascending;  last: that of the right side, which comes after them
     work     lda doubles */
static void lmoo_add_gram(ptrdiff_t rows, ptrdiff_t width, const double *a, ptrdiff_t lda, const int *columns,
                          ptrdiff_t last, double *h, ptrdiff_t ldh, double *work)
{
    LMOO_CHOSEN(lmoo_add_gram, rows, width, a, lda, columns, last, h, ldh, work);
}

/* Compute B = A Z: z has row columns[j] for column j of a and row last for the right side; w columns, a multiple of
   LMOO_LANES. */
static void lmoo_times(ptrdiff_t rows, ptrdiff_t width, const double *a, ptrdiff_t lda, const int *columns,
                       ptrdiff_t last, const double *z, ptrdiff_t w, double *b)
{
    LMOO_CHOSEN(lmoo_times, rows, width, a, lda, columns, last, z, w, b);
}

/* Add A^T B to g, which has row columns[j] for column j of a. */
static void lmoo_add_transposed(ptrdiff_t rows, ptrdiff_t width, const double *a, ptrdiff_t lda, const int *columns,
                                const double *b, ptrdiff_t w, double *g)
{
    LMOO_CHOSEN(lmoo_add_transposed, rows, width, a, lda, columns, b, w, g);
}

/* Replace the symmetric matrix in the upper triangle of a by its Cholesky factor R, with pivots, as far as these are
   larger than least.

     a        n x (n + 1), column-major, leading dimension lda: the right side comes last and gets R^-T of it
     d        n doubles, work space
     order    n ints, permuted as the columns are
     return   the rows of R, r; in the other columns there are r rows of R, and below the rest is undefined

   Lucas (2004), "LAPACK-style codes for level 2 and 3 pivoted Cholesky factorizations", LAPACK working note 161. */
static ptrdiff_t lmoo_cholesky(ptrdiff_t n, double *a, ptrdiff_t lda, double *d, int *order, double least)
{
    return LMOO_CHOSEN(lmoo_cholesky, n, a, lda, d, order, least);
}

#endif /* LMOO_GRAM_H */
