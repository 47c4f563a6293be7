#include "craft.h"

#include <string.h>

#include "base/bytes.h"

static void add_element(struct writer *w, uint8_t id, const char *text)
{
    if (text == NULL)
        return;
    write_u8(w, (uint8_t)(id << 4 | (strlen(text) - 1)));
    write_bytes(w, text, strlen(text));
}

static void write_extensions(struct writer *w, const struct craft *what)
{
    write_u16(w, RTP_EXT_ONE_BYTE);
    write_u16(w, 0);
    uint8_t *size = w->at - 2, *start = w->at;
    add_element(w, 4, what->mid);
    add_element(w, 10, what->rid);
    add_element(w, 11, what->repaired_rid);
    while ((w->at - start) % 4 != 0)
        write_u8(w, 0);
    put_u16(size, (uint16_t)((w->at - start) / 4));
}

size_t craft_write(struct duo *duo, int from, const struct craft *what, uint8_t *out)
{
    struct writer w = writer_of(out, 1500);
    const bool extended = what->mid != NULL || what->rid != NULL || what->repaired_rid != NULL;
    const struct rtp_header header = {.extension = extended, .marker = true, .pt = what->pt, .seq = what->seq, .ts = what->ts, .ssrc = what->ssrc};
    w.at += rtp_write_header(out, 1500, &header);
    if (extended)
        write_extensions(&w, what);
    size_t header_size = writer_size(&w);
    if (what->osn >= 0)
        write_u16(&w, (uint16_t)what->osn);
    if (what->payload != NULL) {
        write_bytes(&w, what->payload, what->payload_size);
    } else {
        uint8_t payload[PAYLOAD_SIZE] = {0x10, what->key ? 0 : 1};
        put_u32(payload + PAYLOAD_SIZE - 4, what->content);
        write_bytes(&w, payload, sizeof(payload));
    }
    assert_false(writer_failed(&w));
    return duo_seal_rtp(duo, from, out, header_size, writer_size(&w), what->index != 0 ? what->index : what->seq);
}

size_t craft_send(struct duo *duo, int from, const struct craft *what)
{
    uint8_t packet[1600];
    size_t size = craft_write(duo, from, what, packet);
    duo_inject(duo, 1 - from, packet, size);
    return size;
}
