/* Random tensors, entries uniform on [0, 1). Needs philox.h and `real`. */

/* Fills out[count], the tensor of one step: entry 2i has the first two words of Philox(seed, stream + step, i), entry
 * 2i + 1 the other two, as multiples of 2^-53; where `real` is float, these numbers cut off to multiples of 2^-24.
 */
static __attribute__((unused)) void sbp_uniform(uint64_t seed, uint64_t stream, uint64_t step, int64_t count,
                                                real *restrict out) {
    const int drop = SBP_FLOAT ? 40 : 11;
    const real unit = (real)(SBP_FLOAT ? 0x1p-24 : 0x1p-53);
    for (int64_t i = 0; i < count; i += 2) {
        const sbp_random four = sbp_philox(seed, stream + step, (uint64_t)i/2);
        const uint64_t one = four.word[0] | (uint64_t)four.word[1] << 32;
        const uint64_t two = four.word[2] | (uint64_t)four.word[3] << 32;
        out[i] = (real)(one >> drop)*unit;
        if (i + 1 < count) out[i + 1] = (real)(two >> drop)*unit;
    }
}
