#include "base/base64.h"

static int digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters; only the last group may be padded. Returns how many bytes, 0: nonsense. */
static size_t decode_group(const uint8_t *in, bool last, uint8_t out[3])
{
    size_t pads = !last ? 0 : in[2] == '=' && in[3] == '=' ? 2 : in[3] == '=' ? 1 : 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i >= 4 - pads ? 0 : digit(in[i]);
        if (value < 0)
            return 0;
        bits = bits << 6 | (uint32_t)value;
    }
    out[0] = (uint8_t)(bits >> 16);
    out[1] = (uint8_t)(bits >> 8);
    out[2] = (uint8_t)bits;
    return 3 - pads;
}

bool base64_decode(uint8_t *out, size_t room, size_t *size, struct view text)
{
    size_t written = 0;
    if (text.size % 4 != 0)
        return false;
    for (size_t at = 0; at < text.size; at += 4) {
        uint8_t group[3];
        size_t count = decode_group(text.data + at, at + 4 == text.size, group);
        if (count == 0 || written + count > room)
            return false;
        for (size_t i = 0; i < count; i++)
            out[written++] = group[i];
    }
    *size = written;
    return true;
}
