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
#else
#define LMOO_INLINE static inline
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
