/* One vector register of `real`, and the tile sizes that suit the processor. Needs `real` and SBP_FLOAT. */
#include <stdint.h>

#ifndef SBP_HELPER
#define SBP_HELPER static inline __attribute__((unused))
#endif
#define SBP_ALWAYS static inline __attribute__((unused, always_inline))

#if defined(__AVX512F__)
#define SBP_VECTOR_BYTES 64
#elif defined(__AVX__)
#define SBP_VECTOR_BYTES 32
#else
#define SBP_VECTOR_BYTES 16
#endif
#define SBP_LANES (SBP_FLOAT ? SBP_VECTOR_BYTES / 4 : SBP_VECTOR_BYTES / 8)

typedef real sbp_vector __attribute__((vector_size(SBP_VECTOR_BYTES), may_alias));
/* The same in memory, at any address that suits a real. */
typedef real sbp_loose __attribute__((vector_size(SBP_VECTOR_BYTES), may_alias, aligned(sizeof(real))));

#if defined(__clang__)
#define SBP_UNROLL_ALL _Pragma("clang loop unroll(full)")
#define SBP_UNROLL_TWO _Pragma("clang loop unroll_count(2)")
#else
#define SBP_UNROLL_ALL _Pragma("GCC unroll 16")
#define SBP_UNROLL_TWO _Pragma("GCC unroll 2")
#endif

/* A tile is SBP_ROWS(vectors) rows of SBP_COLUMNS(vectors) numbers, `vectors` being 1, 2 or 3. Its sums, one row
 * of the right factor and one number of the left factor fit into the 32 or 16 vector registers. */
#if defined(__AVX512F__) || defined(__aarch64__)
#define SBP_ROWS(vectors) ((vectors) == 1 ? 16 : 8)
#else
#define SBP_ROWS(vectors) ((vectors) == 1 ? 8 : (vectors) == 2 ? 6 : 4)
#endif
#define SBP_COLUMNS(vectors) ((vectors) * SBP_LANES)
#define SBP_TILE (24 * SBP_LANES)

/* Vectors a tile for `columns` columns: the choice that computes the fewest padded vectors, where a vector in a
 * tile of one counts 9/8, since it reads more of the left factor; of equals 2, then 1. */
#define SBP_PADDED(columns, vectors) \
    (((columns) + SBP_COLUMNS(vectors) - 1) / SBP_COLUMNS(vectors) * (vectors) * ((vectors) == 1 ? 9 : 8))
#define SBP_VECTORS(columns) \
    (SBP_PADDED(columns, 2) <= SBP_PADDED(columns, 1) && SBP_PADDED(columns, 2) <= SBP_PADDED(columns, 3) ? 2 \
     : SBP_PADDED(columns, 1) <= SBP_PADDED(columns, 3) ? 1 : 3)
