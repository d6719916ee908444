/* tests_crypto.c - the provider that a group of tests shares. */
#include "crypto/tests_crypto.h"

troth_provider *p;

int open_provider(void **state)
{
    (void)state;
    p = troth_libcrypto();
    return p ? 0 : -1;
}

int close_provider(void **state)
{
    (void)state;
    troth_provider_free(p);
    return 0;
}
