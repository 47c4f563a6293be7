#include "base/str.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool str_equal_nocase(struct view a, struct view b)
{
    return a.size == b.size && str_starts_nocase(a, b);
}

bool str_starts(struct view text, struct view prefix)
{
    return text.size >= prefix.size && (prefix.size == 0 || memcmp(text.data, prefix.data, prefix.size) == 0);
}

bool str_starts_nocase(struct view text, struct view prefix)
{
    if (text.size < prefix.size)
        return false;
    for (size_t i = 0; i < prefix.size; i++)
        if (lower(text.data[i]) != lower(prefix.data[i]))
            return false;
    return true;
}

bool str_contains(struct view text, struct view part)
{
    if (part.size == 0)
        return true;
    return text.size >= part.size && memmem(text.data, text.size, part.data, part.size) != NULL;
}

struct view str_split(struct view *text, char at)
{
    struct view all = *text;
    const uint8_t *hit = all.size == 0 ? NULL : memchr(all.data, at, all.size);
    if (hit == NULL) {
        *text = (struct view){all.size == 0 ? all.data : all.data + all.size, 0};
        return all;
    }
    size_t before = (size_t)(hit - all.data);
    *text = (struct view){hit + 1, all.size - before - 1};
    return (struct view){all.data, before};
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct view str_trim(struct view text)
{
    while (text.size > 0 && is_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    return text;
}

bool str_u64(struct view text, uint64_t *out)
{
    uint64_t v = 0;
    if (text.size == 0)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c < '0' || c > '9')
            return false;
        if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(c - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}

bool str_u32(struct view text, uint32_t *out)
{
    uint64_t v;
    if (!str_u64(text, &v) || v > UINT32_MAX)
        return false;
    *out = (uint32_t)v;
    return true;
}

bool str_u16(struct view text, uint16_t *out)
{
    uint64_t v;
    if (!str_u64(text, &v) || v > UINT16_MAX)
        return false;
    *out = (uint16_t)v;
    return true;
}

bool str_hex_u64(struct view text, uint64_t *out)
{
    uint64_t v = 0;
    if (text.size == 0 || text.size > 16)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = lower(text.data[i]);
        if (c >= '0' && c <= '9')
            v = v << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    *out = v;
    return true;
}

bool str_copy(char *out, size_t room, struct view text)
{
    if (room == 0)
        return false;
    out[0] = '\0';
    if (text.size >= room || (text.size > 0 && memchr(text.data, 0, text.size) != NULL))
        return false;
    if (text.size > 0)
        memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return true;
}

bool str_equal_secret(struct view a, struct view b)
{
    if (a.size != b.size)
        return false;
    volatile uint8_t diff = 0;
    for (size_t i = 0; i < a.size; i++)
        diff = (uint8_t)(diff | (a.data[i] ^ b.data[i]));
    return diff == 0;
}

bool utf8_is_valid(struct view text)
{
    size_t i = 0;
    while (i < text.size) {
        uint8_t c = text.data[i];
        size_t more = c < 0x80 ? 0 : c < 0xC2 ? SIZE_MAX : c < 0xE0 ? 1 : c < 0xF0 ? 2 : c < 0xF5 ? 3 : SIZE_MAX;
        if (more == SIZE_MAX || more >= text.size - i)
            return false;
        for (size_t k = 1; k <= more; k++)
            if ((text.data[i + k] & 0xC0) != 0x80)
                return false;
        uint8_t c1 = more > 0 ? text.data[i + 1] : 0;
        if ((c == 0xE0 && c1 < 0xA0) || (c == 0xED && c1 > 0x9F) || (c == 0xF0 && c1 < 0x90) || (c == 0xF4 && c1 > 0x8F))
            return false;
        i += more + 1;
    }
    return true;
}
