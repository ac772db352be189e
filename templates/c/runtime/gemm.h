/* One tile of a matrix product: tile[i, j] = sum over k of A[i*a_row + k*a_col] * B[k*b_row + j].
 *
 * `vectors` is a literal 1, 2 or 3; `rows` is 1 ... SBP_ROWS(vectors); every j < SBP_COLUMNS(vectors) is computed,
 * so B must be readable that far: in place where its columns suffice, else packed by sbp_pack. A is read at
 * i < rows only. tile[i*SBP_COLUMNS(vectors) + j] is a local array `SBP_TILE_ARRAY(tile)`; the loop after the
 * call reads it from the first-level cache. The order of the sum does not depend on rows or vectors.
 * Needs vector.h.
 */
#define SBP_TILE_ARRAY(name) real name[SBP_TILE] __attribute__((aligned(64)))

/* Everything but the strides is known here after inlining: the sums stay in registers. */
SBP_ALWAYS void sbp_tile_rows(const int rows, const int vectors, int64_t K, const real *A, int64_t a_row,
                              int64_t a_col, const real *B, int64_t b_row, real *tile) {
    sbp_vector sum[16][3];
    SBP_UNROLL_ALL
    for (int i = 0; i < rows; i++) {
        SBP_UNROLL_ALL
        for (int v = 0; v < vectors; v++) sum[i][v] = (sbp_vector){ 0 };
    }
    SBP_UNROLL_TWO
    for (int64_t k = 0; k < K; k++) {
        sbp_vector b[3];
        SBP_UNROLL_ALL
        for (int v = 0; v < vectors; v++) b[v] = *(const sbp_loose *)(B + k * b_row + v * SBP_LANES);
        SBP_UNROLL_ALL
        for (int i = 0; i < rows; i++) {
            const real a = A[i * a_row + k * a_col];
            SBP_UNROLL_ALL
            for (int v = 0; v < vectors; v++) sum[i][v] += a * b[v];
        }
    }
    SBP_UNROLL_ALL
    for (int i = 0; i < rows; i++) {
        SBP_UNROLL_ALL
        for (int v = 0; v < vectors; v++) *(sbp_vector *)(tile + (i * vectors + v) * SBP_LANES) = sum[i][v];
    }
}

/* The last rows, fewer than a tile has: shared by all products, so that its cases are compiled once. */
#define SBP_LAST_CASE(count, vectors) \
    case count: \
        if (count < SBP_ROWS(vectors)) sbp_tile_rows(count, vectors, K, A, a_row, a_col, B, b_row, tile); \
        break;
#define SBP_LAST_ROWS(vectors) \
    static __attribute__((unused, noinline)) void sbp_tile_last##vectors( \
        int rows, int64_t K, const real *A, int64_t a_row, int64_t a_col, const real *B, int64_t b_row, real *tile) { \
        switch (rows) { \
            SBP_LAST_CASE(1, vectors) SBP_LAST_CASE(2, vectors) SBP_LAST_CASE(3, vectors) \
            SBP_LAST_CASE(4, vectors) SBP_LAST_CASE(5, vectors) SBP_LAST_CASE(6, vectors) \
            SBP_LAST_CASE(7, vectors) SBP_LAST_CASE(8, vectors) SBP_LAST_CASE(9, vectors) \
            SBP_LAST_CASE(10, vectors) SBP_LAST_CASE(11, vectors) SBP_LAST_CASE(12, vectors) \
            SBP_LAST_CASE(13, vectors) SBP_LAST_CASE(14, vectors) SBP_LAST_CASE(15, vectors) \
        } \
    }
SBP_LAST_ROWS(1)
SBP_LAST_ROWS(2)
SBP_LAST_ROWS(3)

SBP_ALWAYS void sbp_tile(int rows, const int vectors, int64_t K, const real *A, int64_t a_row, int64_t a_col,
                         const real *B, int64_t b_row, real *tile) {
    if (rows == SBP_ROWS(vectors))
        sbp_tile_rows(SBP_ROWS(vectors), vectors, K, A, a_row, a_col, B, b_row, tile);
    else if (vectors == 1)
        sbp_tile_last1(rows, K, A, a_row, a_col, B, b_row, tile);
    else if (vectors == 2)
        sbp_tile_last2(rows, K, A, a_row, a_col, B, b_row, tile);
    else
        sbp_tile_last3(rows, K, A, a_row, a_col, B, b_row, tile);
}
