/* The order of the rows in one epoch: a stable arg sort of one random 64-bit key a row. Needs philox.h. */

#define SBP_SHUFFLE_STREAM UINT64_C(0xB81803B4E2BD40CA)
#define SBP_SHUFFLE_BITS 11
/* Length of the scratch array in uint64s. */
#define SBP_SHUFFLE_SCRATCH(rows) (4 * (rows) + (1 << SBP_SHUFFLE_BITS))

/* Writes a permutation of 0 ... rows - 1 to order[rows]. Row i has as key the first two words of
 * Philox(seed, SBP_SHUFFLE_STREAM + epoch, i). A radix sort, lower digit first, orders the keys by their upper 33
 * or 22 bits, enough to tell nearly all apart; an insertion sort puts the few neighbors that agree in these right.
 */
static __attribute__((unused)) void sbp_shuffle(uint64_t seed, uint64_t epoch, int64_t rows, int64_t *order,
                                                uint64_t *scratch) {
    const int64_t digits = 1 << SBP_SHUFFLE_BITS;
    uint64_t *const count = scratch;
    uint64_t *pair = scratch + digits, *other = pair + 2 * rows; /* (key, row) by (key, row) */
    for (int64_t i = 0; i < rows; i++) {
        const sbp_random random = sbp_philox(seed, SBP_SHUFFLE_STREAM + epoch, (uint64_t)i);
        pair[2 * i] = random.word[0] | (uint64_t)random.word[1] << 32;
        pair[2 * i + 1] = (uint64_t)i;
    }
    const int passes = rows <= 64 ? 0 : rows <= 2048 ? 2 : 3;
    for (int shift = 64 - passes * SBP_SHUFFLE_BITS; shift < 64; shift += SBP_SHUFFLE_BITS) {
        for (int64_t d = 0; d < digits; d++) count[d] = 0;
        for (int64_t i = 0; i < rows; i++) count[pair[2 * i] >> shift & (digits - 1)]++;
        uint64_t place = 0;
        for (int64_t d = 0; d < digits; d++) {
            const uint64_t here = count[d];
            count[d] = place;
            place += here;
        }
        for (int64_t i = 0; i < rows; i++) {
            const uint64_t to = count[pair[2 * i] >> shift & (digits - 1)]++;
            other[2 * to] = pair[2 * i];
            other[2 * to + 1] = pair[2 * i + 1];
        }
        uint64_t *const sorted = other;
        other = pair;
        pair = sorted;
    }
    for (int64_t i = 0; i < rows; i++) {
        const uint64_t key = pair[2 * i], row = pair[2 * i + 1];
        int64_t j = i;
        for (; j > 0 && pair[2 * j - 2] > key; j--) {
            pair[2 * j] = pair[2 * j - 2];
            pair[2 * j + 1] = pair[2 * j - 1];
            order[j] = order[j - 1];
        }
        pair[2 * j] = key;
        pair[2 * j + 1] = row;
        order[j] = (int64_t)row;
    }
}
