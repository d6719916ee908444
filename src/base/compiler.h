/* compiler.h - attributes, and the one control-flow macro of the codebase.
 *
 * gcc and clang only (ADR 0009).  The only file outside crypto/ that may ask which compiler this is. */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIKELY(x)      __builtin_expect(!!(x), 1)
#define UNLIKELY(x)    __builtin_expect(!!(x), 0)
#define COLD           __attribute__((cold, noinline))
#define MUST_USE       __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define COUNT_OF(a)    (sizeof(a) / sizeof(a)[0])
#define BIT(n)         (1u << (n))

/* Leave with false when `x` is false.  Safe everywhere because functions own nothing: memory is in arenas, bytes are borrowed.
 * The only macro that hides a return; tools/check-macros counts them. */
#define TRY(x)         do { if (UNLIKELY(!(x))) return false; } while (0)

/* In the constant-time run (preset ct) secrets are undefined to valgrind, and so is all that comes of them. ct_public
 * says of a value that it may be known, and each use says why. Elsewhere it is nothing. */
#if defined(TROTH_CT)
#include <valgrind/memcheck.h>
#define ct_public(p, n) ((void)VALGRIND_MAKE_MEM_DEFINED(p, n))
#else
#define ct_public(p, n) ((void)(p), (void)(n))
#endif

#endif
