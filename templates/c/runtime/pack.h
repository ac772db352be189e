/* Copies the right factor B of a product, B[k, j] = B[k*b_row + j*b_col], into panels for sbp_tile.
 *
 * A panel holds SBP_COLUMNS(vectors) columns, zeros after the last one: panel[p][k][j], contiguous, so that the
 * tile of columns p*SBP_COLUMNS(vectors) ... is computed with B = panel + p*K*SBP_COLUMNS(vectors) and
 * b_row = SBP_COLUMNS(vectors). SBP_PACKED says how many numbers the panels take. Needs vector.h.
 */
#define SBP_PACKED(vectors, K, N) \
    ((int64_t)(((N) + SBP_COLUMNS(vectors) - 1) / SBP_COLUMNS(vectors)) * SBP_COLUMNS(vectors) * (K))

#if SBP_VECTOR_BYTES == 64 && SBP_FLOAT
#define SBP_LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define SBP_HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif SBP_VECTOR_BYTES == 64 || (SBP_VECTOR_BYTES == 32 && SBP_FLOAT)
#define SBP_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define SBP_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#elif SBP_VECTOR_BYTES == 32 || SBP_FLOAT
#define SBP_LOW 0, 4, 1, 5
#define SBP_HIGH 2, 6, 3, 7
#else
#define SBP_LOW 0, 2
#define SBP_HIGH 1, 3
#endif
#if defined(__clang__)
#define SBP_ZIP(a, b, order) __builtin_shufflevector(a, b, order)
#elif SBP_FLOAT
typedef int32_t sbp_order __attribute__((vector_size(SBP_VECTOR_BYTES)));
#define SBP_ZIP(a, b, ...) __builtin_shuffle(a, b, (sbp_order){ __VA_ARGS__ })
#else
typedef int64_t sbp_order __attribute__((vector_size(SBP_VECTOR_BYTES)));
#define SBP_ZIP(a, b, ...) __builtin_shuffle(a, b, (sbp_order){ __VA_ARGS__ })
#endif

/* to[k*to_row + j] = from[k + j*from_column] for k < SBP_LANES and j < columns; 0 for columns <= j < SBP_LANES. */
SBP_ALWAYS void sbp_transpose(const real *from, int64_t from_column, int columns, real *to, int64_t to_row) {
    sbp_vector row[SBP_LANES], next[SBP_LANES];
    SBP_UNROLL_ALL
    for (int j = 0; j < SBP_LANES; j++)
        row[j] = j < columns ? *(const sbp_loose *)(from + j * from_column) : (sbp_vector){ 0 };
    SBP_UNROLL_ALL
    for (int half = 1; half < SBP_LANES; half *= 2) { /* zipping the two halves log2(lanes) times transposes */
        SBP_UNROLL_ALL
        for (int j = 0; j < SBP_LANES / 2; j++) {
            next[2 * j] = SBP_ZIP(row[j], row[j + SBP_LANES / 2], SBP_LOW);
            next[2 * j + 1] = SBP_ZIP(row[j], row[j + SBP_LANES / 2], SBP_HIGH);
        }
        SBP_UNROLL_ALL
        for (int j = 0; j < SBP_LANES; j++) row[j] = next[j];
    }
    SBP_UNROLL_ALL
    for (int k = 0; k < SBP_LANES; k++) *(sbp_loose *)(to + k * to_row) = row[k];
}

/* The rows k < K of SBP_LANES columns, of which `here` exist. */
SBP_ALWAYS void sbp_pack_lanes(const real *from, int64_t b_row, int64_t b_col, int64_t K, int here, real *to,
                               int64_t width) {
    const int64_t blocks = b_row == 1 ? K / SBP_LANES : 0;
    for (int64_t block = 0; block < blocks; block++)
        sbp_transpose(from + block * SBP_LANES, b_col, here, to + block * SBP_LANES * width, width);
    if (b_col == 1 && here == SBP_LANES)
        for (int64_t k = 0; k < K; k++) *(sbp_loose *)(to + k * width) = *(const sbp_loose *)(from + k * b_row);
    else
        for (int64_t k = blocks * SBP_LANES; k < K; k++)
            for (int j = 0; j < SBP_LANES; j++) to[k * width + j] = j < here ? from[k * b_row + j * b_col] : (real)0;
}

static __attribute__((unused, noinline)) void sbp_pack(int vectors, const real *restrict B, int64_t b_row,
                                                       int64_t b_col, int64_t K, int64_t N, real *restrict panel) {
    const int64_t width = SBP_COLUMNS(vectors), whole = N / SBP_LANES * SBP_LANES;
    for (int64_t j = 0; j < whole; j += SBP_LANES)
        sbp_pack_lanes(B + j * b_col, b_row, b_col, K, SBP_LANES, panel + j / width * width * K + j % width, width);
    if (whole < N)
        sbp_pack_lanes(B + whole * b_col, b_row, b_col, K, (int)(N - whole),
                       panel + whole / width * width * K + whole % width, width);
    for (int64_t j = (N + SBP_LANES - 1) / SBP_LANES * SBP_LANES; j % width != 0; j += SBP_LANES)
        for (int64_t k = 0; k < K; k++)
            *(sbp_loose *)(panel + j / width * width * K + k * width + j % width) = (sbp_vector){ 0 };
}
