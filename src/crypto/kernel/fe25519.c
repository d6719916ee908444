/* Inversion in the field of 2^255 - 19: the one form below p, inverted as any number is. Takes the same time for every operand. */
#include "crypto/kernel/fe25519.h"

#include "crypto/kernel/inv256.h"

static const struct inv256 prime62 = {
    { 0x3fffffffffffffed, 0x3fffffffffffffff, 0x3fffffffffffffff, 0x3fffffffffffffff, 0x7f }, 0x39435e50d79435e5
};

void fe_invert(struct fe *r, const struct fe *z)
{
    uint8_t bytes[32];
    uint64_t w[4];
    fe_store(bytes, z);
    for (int i = 0; i < 4; i++)
        w[i] = fe_word(bytes + 8 * i);
    inv256(w, w, &prime62);
    fe_from_words(r, w);
    secret_wipe(bytes, sizeof bytes);
    secret_wipe(w, sizeof w);
}
