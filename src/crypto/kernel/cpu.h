/* What the processor and the operating system offer the kernels. Asked once by whoever opens a provider and handed
 * to the *_pick() functions as a mask; no kernel ever asks by itself, so tests and benchmarks can force any path. */
#ifndef TROTH_KERNEL_CPU_H
#define TROTH_KERNEL_CPU_H

#include <stdint.h>

enum cpu_feature {
    CPU_AVX2   = 1 << 0,        /* AVX2, BMI1, BMI2, popcnt; the system saves ymm state                        */
    CPU_AVX512 = 1 << 1,        /* AVX-512 F, CD, DQ, BW, VL; the system saves zmm and mask state      */
    CPU_IFMA   = 1 << 2,        /* AVX-512 IFMA, implies CPU_AVX512 and CPU_AVX2                       */
    CPU_VBMI2  = 1 << 3,        /* AVX-512 VBMI and VBMI2, implies the same                            */
};

uint32_t cpu_features(void);

#endif
