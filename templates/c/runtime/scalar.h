/* Small functions of real numbers. Each carries a NaN on, as NumPy does. Needs `real`. */
#ifndef SBP_HELPER
#define SBP_HELPER static inline __attribute__((unused))
#endif

/* The larger and the smaller of two numbers. */
SBP_HELPER real sbp_max(real a, real b) { return a < b || b != b ? b : a; }
SBP_HELPER real sbp_min(real a, real b) { return a > b || b != b ? b : a; }

/* 1, 0 or -1. */
SBP_HELPER real sbp_sign(real x) { return x > 0 ? (real)1 : x < 0 ? (real)-1 : x; }

/* Powers that occur often, without a call. */
SBP_HELPER real sbp_pow2(real x) { return x * x; }
SBP_HELPER real sbp_pow3(real x) { return x * x * x; }
SBP_HELPER real sbp_pow4(real x) { return (x * x) * (x * x); }
