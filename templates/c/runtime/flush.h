/* Subnormal numbers count as zero while a kernel runs: on many processors they cost a hundred cycles each.
 *
 * The caller's mode is given back afterwards, since Python and other libraries share the thread.
 */
#include <stdint.h>

#ifndef SBP_HELPER
#define SBP_HELPER static inline __attribute__((unused))
#endif

/* Switches flushing on for this thread; returns the mode to give to sbp_flush_end. */
SBP_HELPER uint64_t sbp_flush_begin(void) {
#if defined(__SSE__)
    const uint32_t mode = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(mode | 0x8040u); /* flush to zero, denormals are zero */
    return mode;
#elif defined(__aarch64__)
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    __asm__ volatile("msr fpcr, %0" : : "r"(mode | (uint64_t)1 << 24) : "memory"); /* FZ */
    return mode;
#else
    return 0;
#endif
}

/* Puts back the mode that sbp_flush_begin returned. */
SBP_HELPER void sbp_flush_end(uint64_t mode) {
#if defined(__SSE__)
    __builtin_ia32_ldmxcsr((uint32_t)mode);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory");
#else
    (void)mode;
#endif
}
