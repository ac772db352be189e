/* Philox4x32-10: random numbers as a function of (seed, stream, index), with no state.
 *
 * J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011).
 */
#include <stdint.h>

#ifndef SBP_HELPER
#define SBP_HELPER static inline __attribute__((unused))
#endif

typedef struct {
    uint32_t word[4];
} sbp_random;

/* Four random words. The key is `seed`; the counter is (index low, index high, stream low, stream high). */
SBP_HELPER sbp_random sbp_philox(uint64_t seed, uint64_t stream, uint64_t index) {
    uint32_t c0 = (uint32_t)index, c1 = (uint32_t)(index >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)c0 * 0xD2511F53u, p1 = (uint64_t)c2 * 0xCD9E8D57u;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    const sbp_random four = { .word = { c0, c1, c2, c3 } };
    return four;
}
