/* QR factorisations of several small matrices at once, each in a lane of a vector.

   One body, lanes_body.inc, is compiled for several instruction sets, as fold_body.inc is (simd.h).
   Each lane does what qrfac does, operation for operation, so its result has qrfac's bits. */

#ifndef LMOO_LANES_H
#define LMOO_LANES_H

#include <math.h>
#include <stddef.h>

#include "finite.h"

/* Matrices that are factored together. */
#define LMOO_FITS 8

#if defined(__GNUC__)

#define LMOO_HAVE_LANES 1

typedef double lmoo_lanes __attribute__((vector_size(64), aligned(8), may_alias));
typedef long long lmoo_lane_mask __attribute__((vector_size(64), aligned(8), may_alias));

#define LMOO_LANES_PASTE_(a, b) a##b
#define LMOO_LANES_PASTE(a, b) LMOO_LANES_PASTE_(a, b)
#define LMOO_SELECT(mask, a, b)                                                                    \
    ((lmoo_lanes)(((lmoo_lane_mask)(a) & (mask)) | ((lmoo_lane_mask)(b) & ~(mask))))

#if defined(__x86_64__)
#define LMOO_LANES_SUFFIX avx512
#define LMOO_LANES_TARGET __attribute__((target("avx512f,avx512dq,avx512vl")))
#include "lanes_body.inc"

#define LMOO_LANES_SUFFIX avx2
#define LMOO_LANES_TARGET __attribute__((target("avx2")))
#include "lanes_body.inc"
#endif

#define LMOO_LANES_SUFFIX plain
#define LMOO_LANES_TARGET
#include "lanes_body.inc"

/* See lanes_body.inc. */
static unsigned lmoo_qrfac_lanes(ptrdiff_t m, ptrdiff_t n, double *a, double *ipvt, double *rdiag,
                                 double *acnorm, double *wa)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl"))
        return lmoo_qrfac_lanes_avx512(m, n, a, ipvt, rdiag, acnorm, wa);
    if (__builtin_cpu_supports("avx2"))
        return lmoo_qrfac_lanes_avx2(m, n, a, ipvt, rdiag, acnorm, wa);
#endif
    return lmoo_qrfac_lanes_plain(m, n, a, ipvt, rdiag, acnorm, wa);
}

#else /* no vector extension: the caller factors one after the other */

#define LMOO_HAVE_LANES 0

static unsigned lmoo_qrfac_lanes(ptrdiff_t m, ptrdiff_t n, double *a, double *ipvt, double *rdiag,
                                 double *acnorm, double *wa)
{
    (void)m, (void)n, (void)a, (void)ipvt, (void)rdiag, (void)acnorm, (void)wa;
    return (1u << LMOO_FITS) - 1u;
}
#endif

#endif /* LMOO_LANES_H */
