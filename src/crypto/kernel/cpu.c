/* Reads cpuid and xgetbv. Must never claim a feature whose register state the operating system does not save. */
#include "crypto/kernel/cpu.h"

#if defined(__x86_64__)

#include <cpuid.h>

/* Intel SDM volume 1, 14.3 and 15.2: XCR0 bits 1-2 are SSE and AVX state, bits 5-7 the AVX-512 state. */
#define XCR0_AVX    0x06u
#define XCR0_AVX512 0xe6u

static uint32_t xcr0_low(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    (void)high;
    return low;
}

uint32_t cpu_features(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AVX) || !(c & bit_POPCNT))
        return 0;
    uint32_t state = xcr0_low();
    if ((state & XCR0_AVX) != XCR0_AVX || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return 0;
    const unsigned avx2 = bit_AVX2 | bit_BMI | bit_BMI2;
    const unsigned avx512 = bit_AVX512F | bit_AVX512CD | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
    const unsigned vbmi = bit_AVX512VBMI | bit_AVX512VBMI2;
    uint32_t have = 0;
    if ((b & avx2) == avx2)
        have |= CPU_AVX2;
    if (have && (b & avx512) == avx512 && (state & XCR0_AVX512) == XCR0_AVX512) {
        have |= CPU_AVX512;
        if (b & bit_AVX512IFMA)
            have |= CPU_IFMA;
        if ((c & vbmi) == vbmi)
            have |= CPU_VBMI2;
    }
    return have;
}

#else

uint32_t cpu_features(void)
{
    return 0;
}

#endif
