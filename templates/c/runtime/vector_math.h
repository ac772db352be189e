/* Vector forms of the C library's functions, without -ffast-math.
 *
 * glibc holds them in libmvec but declares them only under -ffast-math. Declared here, gcc uses them wherever it
 * vectorizes a loop, within 4 ulp. clang finds them by -fveclib=libmvec. Elsewhere the scalar functions serve.
 * Must stand before the first #include <math.h>.
 */
#include <stdint.h> /* defines __GLIBC__ where there is one */

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 22)
#define SBP_VECTORIZED(name) \
    __attribute__((simd("notinbranch"), const, nothrow)) double name(double); \
    __attribute__((simd("notinbranch"), const, nothrow)) float name##f(float);
SBP_VECTORIZED(exp)
SBP_VECTORIZED(log)
SBP_VECTORIZED(sin)
SBP_VECTORIZED(cos)
__attribute__((simd("notinbranch"), const, nothrow)) double pow(double, double);
__attribute__((simd("notinbranch"), const, nothrow)) float powf(float, float);
#if __GLIBC_PREREQ(2, 35)
SBP_VECTORIZED(tanh)
SBP_VECTORIZED(erf)
SBP_VECTORIZED(log1p)
SBP_VECTORIZED(expm1)
#endif
#undef SBP_VECTORIZED
#endif
#endif

#include <math.h>
