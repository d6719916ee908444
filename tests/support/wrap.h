/* wrap.h - a provider around another one: tells what it was given and what it made, and fails where a test wants it to.
 *
 *     troth_provider *p = wrap_provider(troth_libcrypto(), &(struct wrap_hooks){ .secret = on_secret, .ctx = ... });
 *
 * Keys and verifying are the inner provider's.  Hooks may be changed at any time: wrap_hooks_of(). */
#ifndef TESTS_SUPPORT_WRAP_H
#define TESTS_SUPPORT_WRAP_H

#include <stdint.h>

#include <troth/provider.h>

struct wrap_hooks {
    void *ctx;
    /* Before a call that may fail: false, and it does.  `what`: "random", "begin", "seal", "open", "make", "reply", "finish", "sign". */
    bool (*allow)(void *ctx, const char *what);
    /* "AEAD key" before it is expanded and "AEAD nonce" (copies, which are what gets used), "private state" and "shared secret" once they are made: the
     * bytes may be marked. */
    void (*secret)(void *ctx, const char *what, uint8_t *p, size_t n);
    /* What was opened, and its additional data. */
    void (*opened)(void *ctx, troth_span aad, uint8_t *p, size_t n);
    /* A share or reply that is about to be sent, a record that was sealed: public from here on. */
    void (*public)(void *ctx, const char *what, uint8_t *p, size_t n);
    /* Instead of the inner provider's random numbers. */
    bool (*random)(void *ctx, uint8_t *p, size_t n);
};

/* Takes one ownership of the inner one. */
troth_provider *wrap_provider(troth_provider *inner, const struct wrap_hooks *);
struct wrap_hooks *wrap_hooks_of(troth_provider *);

#endif
