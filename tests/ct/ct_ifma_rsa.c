/* RSA's private operation on IFMA, emulated, under valgrind with the key and the blinding undefined; the signature against RFC 7515's. */
#include "ct/ifma_emulation.h"

#include "crypto/kernel/rsa_private_ifma.c"

#include <stdio.h>

#include <valgrind/memcheck.h>

#include "vectors/rfc7515.inc"

static uint8_t em[256];

/* Instead of the public operation: the signature is sent, and is this one. */
bool rsa_public(uint8_t *out, const uint8_t *n, size_t n_bytes, uint64_t e, const uint8_t *s, bool *out_of_range)
{
    (void)n;
    *out_of_range = false;
    VALGRIND_MAKE_MEM_DEFINED(s, n_bytes);
    memcpy(out, em, sizeof em);
    return e == 65537 && bytes_equal_ct(s, rfc7515_signature, sizeof rfc7515_signature);
}

/* RFC 8017 9.2 */
static void encode(void)
{
    static const uint8_t info[20] = { 0, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0, 0x04, 0x20 };
    memset(em, 0xff, sizeof em);
    em[0] = 0;
    em[1] = 1;
    memcpy(em + 204, info, 20);
    memcpy(em + 224, rfc7515_digest, 32);
}

int main(void)
{
    static struct rsa_private key;
    struct rsa_parts parts = rfc7515_key;
    uint8_t out[256], random[RSA_BLIND_BYTES] = { 1, 2, 3, 0xf4 };
    encode();
    parts.blind[255] = parts.unblind[255] = 1;
    VALGRIND_MAKE_MEM_UNDEFINED(random, sizeof random);
    VALGRIND_MAKE_MEM_UNDEFINED(parts.p, (size_t)(parts.unblind + sizeof parts.unblind - parts.p)); /* all but the modulus and e */
    VALGRIND_MAKE_MEM_DEFINED(&parts.p[0], 1); /* that they are odd and above 2^1023 */
    VALGRIND_MAKE_MEM_DEFINED(&parts.q[0], 1);
    VALGRIND_MAKE_MEM_DEFINED(&parts.p[127], 1);
    VALGRIND_MAKE_MEM_DEFINED(&parts.q[127], 1);
    bool good = rsa_private_load(&key, &parts) && rsa_private(out, &key, em, random);
    printf("rsa ifma, emulated: %d\n", good);
    return !good;
}
