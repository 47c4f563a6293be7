/* CRC32c, reflected, polynomial 0x82F63B78. Tables are linear in their index, so eight constants make each: table k's
 * entry for 1 << i is the register after the byte 1 << i and k zero bytes. Eight tables take eight bytes a step. */
#include "proto/sctp/crc32c.h"

#include <string.h>

#include "base/bytes.h"

#define ONE(n, a, b, c, d, e, f, g, h)                                                                                     \
    (((n) & 1 ? a : 0) ^ ((n) & 2 ? b : 0) ^ ((n) & 4 ? c : 0) ^ ((n) & 8 ? d : 0) ^ ((n) & 16 ? e : 0) ^                 \
     ((n) & 32 ? f : 0) ^ ((n) & 64 ? g : 0) ^ ((n) & 128 ? h : 0))
#define FOUR(n, ...)    ONE(n, __VA_ARGS__), ONE((n) + 1, __VA_ARGS__), ONE((n) + 2, __VA_ARGS__), ONE((n) + 3, __VA_ARGS__)
#define SIXTEEN(n, ...) FOUR(n, __VA_ARGS__), FOUR((n) + 4, __VA_ARGS__), FOUR((n) + 8, __VA_ARGS__), FOUR((n) + 12, __VA_ARGS__)
#define QUARTER(n, ...) \
    SIXTEEN(n, __VA_ARGS__), SIXTEEN((n) + 16, __VA_ARGS__), SIXTEEN((n) + 32, __VA_ARGS__), SIXTEEN((n) + 48, __VA_ARGS__)
#define ROWS(...) QUARTER(0, __VA_ARGS__), QUARTER(64, __VA_ARGS__), QUARTER(128, __VA_ARGS__), QUARTER(192, __VA_ARGS__)

static const uint32_t table[8][256] = {
    {ROWS(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78)},
    {ROWS(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9)},
    {ROWS(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743)},
    {ROWS(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f)},
    {ROWS(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c)},
    {ROWS(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6)},
    {ROWS(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4)},
    {ROWS(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664)},
};

uint32_t crc32c_by_table(uint32_t before, struct view bytes)
{
    uint32_t crc = ~before;
    const uint8_t *p = bytes.data;
    size_t left = bytes.size;
    for (; left >= 8; left -= 8, p += 8)
        crc = table[7][(crc ^ p[0]) & 0xff] ^ table[6][(crc >> 8 ^ p[1]) & 0xff] ^ table[5][(crc >> 16 ^ p[2]) & 0xff] ^
              table[4][(crc >> 24 ^ p[3]) & 0xff] ^ table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
    for (; left > 0; left--, p++)
        crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t before, struct view bytes)
{
    uint64_t crc = ~before;
    const uint8_t *p = bytes.data;
    size_t left = bytes.size;
    for (; left >= 8; left -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, sizeof(word));
        crc = _mm_crc32_u64(crc, word);
    }
    uint32_t rest = (uint32_t)crc;
    for (; left > 0; left--, p++)
        rest = _mm_crc32_u8(rest, *p);
    return ~rest;
}

static bool has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2");
}
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>

static uint32_t by_instruction(uint32_t before, struct view bytes)
{
    uint32_t crc = ~before;
    const uint8_t *p = bytes.data;
    size_t left = bytes.size;
    for (; left >= 8; left -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, sizeof(word));
        crc = __crc32cd(crc, word);
    }
    for (; left > 0; left--, p++)
        crc = __crc32cb(crc, *p);
    return ~crc;
}

static bool has_instruction(void)
{
    return true;
}
#else
static uint32_t by_instruction(uint32_t before, struct view bytes)
{
    return crc32c_by_table(before, bytes);
}

static bool has_instruction(void)
{
    return false;
}
#endif

uint32_t crc32c(uint32_t before, struct view bytes)
{
    return has_instruction() ? by_instruction(before, bytes) : crc32c_by_table(before, bytes);
}
