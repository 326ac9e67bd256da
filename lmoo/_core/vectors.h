/* Vectors of doubles for code that is compiled for several instruction sets.

   vector_bodies.inc includes a body once for each set, and its caller asks which of them the processor has (function
   multiversioning), so that one binary runs everywhere.  The vectors are an extension of GCC and Clang; with other
   compilers a vector is one double. */

#ifndef LMOO_VECTORS_H
#define LMOO_VECTORS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define LMOO_INLINE __attribute__((always_inline, unused)) static inline
#define LMOO_RARE __attribute__((cold, noinline, unused))
#else
#define LMOO_INLINE static inline
#define LMOO_RARE
#endif
#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define LMOO_HAS_VECTORS_OF_8                                                                      \
    (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")                       \
     && __builtin_cpu_supports("avx512vl"))
/* Transpose the 8 x 8 numbers of the vectors v, by three rounds of exchanges between vectors at a distance of one, two
   and four; w has room for as many. */
#define LMOO_TRANSPOSE_8(v, w)                                                                     \
    do {                                                                                           \
        int l_;                                                                                    \
        for (l_ = 0; l_ < 8; l_ += 2) {                                                            \
            w[l_] = _mm512_unpacklo_pd(v[l_], v[l_ + 1]);                                          \
            w[l_ + 1] = _mm512_unpackhi_pd(v[l_], v[l_ + 1]);                                      \
        }                                                                                          \
        for (l_ = 0; l_ < 8; l_ += 4) {                                                            \
            v[l_] = _mm512_shuffle_f64x2(w[l_], w[l_ + 2], 0x88);                                  \
            v[l_ + 1] = _mm512_shuffle_f64x2(w[l_ + 1], w[l_ + 3], 0x88);                          \
            v[l_ + 2] = _mm512_shuffle_f64x2(w[l_], w[l_ + 2], 0xdd);                              \
            v[l_ + 3] = _mm512_shuffle_f64x2(w[l_ + 1], w[l_ + 3], 0xdd);                          \
        }                                                                                          \
        for (l_ = 0; l_ < 4; l_++) {                                                               \
            w[l_] = _mm512_shuffle_f64x2(v[l_], v[l_ + 4], 0x88);                                  \
            w[l_ + 4] = _mm512_shuffle_f64x2(v[l_], v[l_ + 4], 0xdd);                              \
        }                                                                                          \
        for (l_ = 0; l_ < 8; l_++)                                                                 \
            v[l_] = w[l_];                                                                         \
    } while (0)
/* The same for 4 x 4 numbers. */
#define LMOO_TRANSPOSE_4(v, w)                                                                     \
    do {                                                                                           \
        w[0] = _mm256_unpacklo_pd(v[0], v[1]);                                                     \
        w[1] = _mm256_unpackhi_pd(v[0], v[1]);                                                     \
        w[2] = _mm256_unpacklo_pd(v[2], v[3]);                                                     \
        w[3] = _mm256_unpackhi_pd(v[2], v[3]);                                                     \
        v[0] = _mm256_permute2f128_pd(w[0], w[2], 0x20);                                           \
        v[1] = _mm256_permute2f128_pd(w[1], w[3], 0x20);                                           \
        v[2] = _mm256_permute2f128_pd(w[0], w[2], 0x31);                                           \
        v[3] = _mm256_permute2f128_pd(w[1], w[3], 0x31);                                           \
    } while (0)
#define LMOO_HAS_VECTORS_OF_4 __builtin_cpu_supports("avx2")
#endif

/* 1.5 * 2^52: a number added to it is rounded to an integer, which is in the lowest bits of the sum. */
#define LMOO_ROUND 6755399441055744.0

/* (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2 by a Chebyshev approximation within 1.1e-16, made with mpmath.chebyfit,
   so that exp(r) is within 1.3e-17: the coefficients of r^2 to r^11 in exp(r). */
#define LMOO_EXP_2 0.5000000000000001
#define LMOO_EXP_3 0.16666666666666669
#define LMOO_EXP_4 0.041666666666623824
#define LMOO_EXP_5 0.00833333333333004
#define LMOO_EXP_6 0.0013888888917367081
#define LMOO_EXP_7 0.00019841269863171557
#define LMOO_EXP_8 2.4801521057868204e-05
#define LMOO_EXP_9 2.7557268276905696e-06
#define LMOO_EXP_10 2.7620201591031547e-07
#define LMOO_EXP_11 2.5100472505694996e-08
/* Below this size of x exp(x) is exp(r) with another exponent. */
#define LMOO_EXP_FAR 708.0

#define LMOO_PASTE_(a, b) lmoo_##a##_##b
#define LMOO_PASTE(a, b) LMOO_PASTE_(a, b)
/* A name with the suffix of the instruction set. */
#define LMOO_F(name) LMOO_PASTE(name, LMOO_SUFFIX)

#if defined(__GNUC__)

#if defined(__x86_64__)
typedef double lmoo_v8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef unsigned long long lmoo_u8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef double lmoo_v4 __attribute__((vector_size(32), aligned(8), may_alias));
typedef unsigned long long lmoo_u4 __attribute__((vector_size(32), aligned(8), may_alias));
#endif
typedef double lmoo_v2 __attribute__((vector_size(16), aligned(8), may_alias));
typedef unsigned long long lmoo_u2 __attribute__((vector_size(16), aligned(8), may_alias));

#define LMOO_LESS(a, b) ((LMOO_U)((a) < (b)))
#define LMOO_SAME(a, b) ((LMOO_U)((a) == (b)))
#define LMOO_BITS(x) ((LMOO_U)(x))
#define LMOO_FROM(u) ((LMOO_V)(u))
#define LMOO_ALL(c) ((c) - (LMOO_V){0})

#else /* no vector extension: one point per operation */

static inline uint64_t lmoo_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double lmoo_from(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#define LMOO_LESS(a, b) ((uint64_t)0 - (uint64_t)((a) < (b)))
#define LMOO_SAME(a, b) ((uint64_t)0 - (uint64_t)((a) == (b)))
#define LMOO_BITS(x) lmoo_bits(x)
#define LMOO_FROM(u) lmoo_from(u)
#define LMOO_ALL(c) ((double)(c))
#endif

/* x^y from power = |x|^y for finite normal x, else by libm. */
static inline double lmoo_power_of_any(double x, double y, double power)
{
    if (x >= 0x1p-1022 && x < HUGE_VAL && y == y)
        return power;
    if (x <= -0x1p-1022 && x > -HUGE_VAL && y == y) {
        if (fabs(y) >= 0x1p53)
            return power;
        if (y != floor(y))
            return NAN;
        return fmod(y, 2.0) == 0.0 ? power : -power;
    }
    return pow(x, y);
}

#endif /* LMOO_VECTORS_H */
