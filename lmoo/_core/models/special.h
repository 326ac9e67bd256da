/* Functions of one point for program.h, if libm has none or another one than numpy. */

#ifndef LMOO_SPECIAL_H
#define LMOO_SPECIAL_H

#include <math.h>

#include "wofz_tables.h"

#define LMOO_PI 0x1.921fb54442d18p+1

/* numpy's sin(pi x) / (pi x). */
static double lmoo_sinc(double x)
{
    double y = LMOO_PI * (x == 0.0 ? 1e-20 : x);
    return sin(y) / y;
}

/* Python's remainder, with b's sign. */
static double lmoo_mod(double a, double b)
{
    double mod = fmod(a, b);
    if (b == 0.0 || mod != mod)
        return mod;
    if (mod == 0.0)
        return copysign(0.0, b);
    return (b < 0.0) != (mod < 0.0) ? mod + b : mod;
}

/* Python's a // b, with the operations of numpy. */
static double lmoo_floor_divide(double a, double b)
{
    double mod, div, floored;
    if (b == 0.0)
        return a / b;
    mod = fmod(a, b);
    div = (a - mod) / b;
    if (mod != 0.0 && (b < 0.0) != (mod < 0.0))
        div -= 1.0;
    if (div == 0.0)
        return copysign(0.0, a / b);
    floored = floor(div);
    return div - floored > 0.5 ? floored + 1.0 : floored;
}

/* libm's cube root, which may be three units in the last place off, after one step of Newton's method
   with the rounding error of c^3 (Dekker (1971), Numerische Mathematik 18). */
static double lmoo_cbrt(double x)
{
    double c = cbrt(x), big, high, low, square, error, cube, rest;
    if (c == 0.0 || c - c != 0.0)
        return c;
    big = 134217729.0 * c;
    high = big - (big - c);
    low = c - high;
    square = c * c;
    error = ((high * high - square) + 2.0 * high * low) + low * low;
    cube = square * c;
    big = 134217729.0 * square;
    rest = big - (big - square);
    rest = ((rest * high - cube) + rest * low + (square - rest) * high) + (square - rest) * low;
    return c + ((x - cube) - rest - error * c) / (3.0 * square);
}

/* exp(x^2) with the rounding error of x^2 (Dekker (1971), Numerische Mathematik 18). */
static double lmoo_exp_of_square(double x)
{
    double big = 134217729.0 * x, high = big - (big - x), low = x - high, square = x * x;
    return exp(square) * (1.0 + (((high * high - square) + 2.0 * high * low) + low * low));
}

/* exp(x^2) erfc(x) = w(i x), by the method of wofz_body.inc. */
static double lmoo_erfcx(double x)
{
    double y = fabs(x), sum = 0.0, value;
    int k;
    if (y > 1e8 || y != y) {
        value = 0x1.20dd750429b6dp-1 / y;
    }
    else if (y < 7.0) {
        for (k = 12; k >= 0; k--)
            sum += lmoo_wofz_middle[k] / (y * y + 0.25 * (k + 0.5) * (k + 0.5));
        value = 0x1.45f306dc9c883p-2 * y * sum;
        if (y < 2.0 * LMOO_PI)
            value += 2.0 * lmoo_exp_of_square(y) / (1.0 + exp(4.0 * LMOO_PI * y));
    }
    else {
        for (k = 6; k >= 0; k--)
            sum += lmoo_wofz_weight[k] / (y * y + lmoo_wofz_node[k]);
        value = 0x1.45f306dc9c883p-1 * y * sum;
    }
    if (x < 0.0)
        value = x < -26.7 ? HUGE_VAL : 2.0 * lmoo_exp_of_square(y) - value;
    return value;
}

/* log(gamma(|x|)); libm's lgamma writes to a variable that threads share. */
static double lmoo_gammaln(double x)
{
#if defined(_MSC_VER)
    return lgamma(x);
#else
    extern double lgamma_r(double, int *);
    int sign;
    return lgamma_r(x, &sign);
#endif
}

/* The derivative of log(gamma): upwards to x >= 10 by psi(x) = psi(x + 1) - 1 / x, and there by its
   asymptotic series (Abramowitz, Stegun (1964), 6.3.5, 6.3.7, 6.3.18). */
static double lmoo_digamma(double x)
{
    double sum = 0.0, z;
    if (x == 0.0)
        return copysign(HUGE_VAL, -x);
    if (x < 0.0) {
        if (x == floor(x))
            return NAN;
        return lmoo_digamma(1.0 - x) - LMOO_PI / tan(LMOO_PI * (x - rint(x)));
    }
    for (; x < 10.0; x += 1.0)
        sum -= 1.0 / x;
    z = 1.0 / x / x;
    return sum + log(x) - 0.5 / x
        - z * (1.0 / 12.0 - z * (1.0 / 120.0 - z * (1.0 / 252.0 - z * (1.0 / 240.0
        - z * (1.0 / 132.0 - z * (691.0 / 32760.0 - z / 12.0))))));
}

/* Its derivative, likewise (6.4.6, 6.4.7, 6.4.12). */
static double lmoo_trigamma(double x)
{
    double sum = 0.0, z;
    if (x <= 0.0) {
        if (x == floor(x))
            return HUGE_VAL;
        z = LMOO_PI / sin(LMOO_PI * (x - rint(x)));
        return z * z - lmoo_trigamma(1.0 - x);
    }
    for (; x < 10.0; x += 1.0)
        sum += 1.0 / x / x;
    z = 1.0 / x / x;
    return sum + (1.0 + 0.5 / x
                  + z * (1.0 / 6.0 - z * (1.0 / 30.0 - z * (1.0 / 42.0 - z * (1.0 / 30.0
                  - z * (5.0 / 66.0 - z * (691.0 / 2730.0 - z * 7.0 / 6.0))))))) / x;
}

/* The modified Bessel functions of order 0 and 1: their power series up to 20, whose terms all have one
   sign, and beyond the asymptotic one (Abramowitz, Stegun (1964), 9.6.10, 9.7.1). */
static double lmoo_bessel_i(double x, int order)
{
    double a = fabs(x), term, sum, half;
    int k;
    if (!(a <= 20.0)) {
        if (a == HUGE_VAL || a != a)
            return order == 1 ? x : a;
        term = sum = 1.0;
        for (k = 1; k < 40 && fabs(term) > 1e-17; k++) {
            term *= ((2.0 * k - 1.0) * (2.0 * k - 1.0) - 4.0 * order) / (8.0 * k * a);
            sum += term;
        }
        half = exp(0.5 * a);
        sum = half / sqrt(2.0 * LMOO_PI * a) * sum * half;
    }
    else {
        term = sum = order == 1 ? 0.5 * a : 1.0;
        for (k = 1; term > 1e-17 * sum; k++) {
            term *= 0.25 * a * a / (k * (double)(k + order));
            sum += term;
        }
    }
    return order == 1 ? copysign(sum, x) : sum;
}

static double lmoo_i0(double x)
{
    return lmoo_bessel_i(x, 0);
}

static double lmoo_i1(double x)
{
    return lmoo_bessel_i(x, 1);
}

static double lmoo_j0(double x)
{
#if defined(_MSC_VER)
    return _j0(x);
#else
    extern double j0(double);
    return j0(x);
#endif
}

static double lmoo_j1(double x)
{
#if defined(_MSC_VER)
    return _j1(x);
#else
    extern double j1(double);
    return j1(x);
#endif
}

/* The solution of w exp(w) = x from -1 on, by Halley's method (Corless et al. (1996), Advances in Computational
   Mathematics 5); where it begins, by the series in the root of the distance. */
static double lmoo_lambertw(double x)
{
    double p = 2.0 * (2.718281828459045 * x + 1.0), w, e, f;
    int k;
    if (!(p > -1e-15) || x == HUGE_VAL)
        return x == HUGE_VAL ? x : NAN;
    p = sqrt(p > 0.0 ? p : 0.0);
    w = x > 3.0 ? log(x) - log(log(x))
                : p < 1.0 ? p * (1.0 - p * (1.0 / 3.0 - p * (11.0 / 72.0 - p * 43.0 / 540.0))) - 1.0 : log1p(x);
    for (k = 0; k < 20 && p > 1e-4; k++) {
        e = exp(w);
        f = w - x / e;
        f /= w + 1.0 - 0.5 * (w + 2.0) * f / (w + 1.0);
        w -= f;
        if (fabs(f) <= 1e-9 * (1e-300 + fabs(w)))
            break;
    }
    return w;
}

#endif /* LMOO_SPECIAL_H */
