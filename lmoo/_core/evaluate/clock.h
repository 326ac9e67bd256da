/* Milliseconds on a clock that only goes forward. */

#ifndef LMOO_CLOCK_H
#define LMOO_CLOCK_H

#include <Python.h>   /* first: it says which POSIX the headers are to offer */

#ifdef _WIN32
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
static inline double lmoo_milliseconds(void)
{
    return (double)GetTickCount64();
}
#else
#include <time.h>
static inline double lmoo_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}
#endif

#endif /* LMOO_CLOCK_H */
