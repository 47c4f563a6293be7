#include "proto/sdp/ufrag.h"

#include "base/check.h"

#define PART_CHARS 4u
#define CHAR_BITS  6u

/* ice-char (RFC 8839 5.4), 64 of them, in the order of base64. */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void part_write(char *out, uint32_t value)
{
    for (unsigned i = PART_CHARS; i-- > 0; value >>= CHAR_BITS)
        out[i] = alphabet[value & 63u];
}

static int char_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool part_parse(const uint8_t *text, uint32_t *out)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < PART_CHARS; i++) {
        int digit = char_value(text[i]);
        if (digit < 0)
            return false;
        value = value << CHAR_BITS | (uint32_t)digit;
    }
    *out = value;
    return true;
}

void ufrag_write(char out[UFRAG_CHARS + 1], struct ref peer, struct rng *rng)
{
    CHECK(peer.slot < UFRAG_PART_LIMIT);
    part_write(out, peer.slot);
    part_write(out + PART_CHARS, peer.generation & (UFRAG_PART_LIMIT - 1u));
    rng_text(rng, out + 2 * PART_CHARS, UFRAG_CHARS - 2 * PART_CHARS);
}

bool ufrag_parse(struct view text, uint32_t *slot, uint32_t *generation24)
{
    return text.size >= UFRAG_CHARS && part_parse(text.data, slot) && part_parse(text.data + PART_CHARS, generation24);
}
