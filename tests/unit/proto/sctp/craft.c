#include "craft.h"

#include <stdlib.h>
#include <string.h>

#include "proto/sctp/crc32c.h"
#include "support/seams.h"

struct craft craft_begin(uint32_t tag)
{
    struct craft craft;
    sctp_pack_begin(&craft.p, craft.bytes, sizeof(craft.bytes), SCTP_PORT, SCTP_PORT, tag);
    return craft;
}

/* The packer points into the struct, which may have moved since. */
static void settle(struct craft *craft)
{
    const size_t size = writer_size(&craft->p.w);
    craft->p.w = (struct writer){craft->bytes, craft->bytes + size, craft->bytes + sizeof(craft->bytes), false};
}

void craft_chunk(struct craft *craft, uint8_t type, uint8_t flags, struct view value)
{
    settle(craft);
    sctp_pack_chunk(&craft->p, type, flags);
    write_bytes(&craft->p.w, value.data, value.size);
    sctp_pack_chunk_end(&craft->p);
}

void craft_init(struct craft *craft, uint8_t type, uint32_t tag, uint16_t streams_out, uint16_t streams_in)
{
    uint8_t value[16];
    put_u32(value, tag);
    put_u32(value + 4, 100000);
    put_u16(value + 8, streams_out);
    put_u16(value + 10, streams_in);
    put_u32(value + 12, 1);
    craft_chunk(craft, type, 0, VIEW(value, sizeof(value)));
}

void craft_data(struct craft *craft, uint8_t flags, uint32_t tsn, uint16_t stream, uint16_t ssn, struct view payload)
{
    settle(craft);
    sctp_pack_chunk(&craft->p, SCTP_DATA, flags);
    write_u32(&craft->p.w, tsn);
    write_u16(&craft->p.w, stream);
    write_u16(&craft->p.w, ssn);
    write_u32(&craft->p.w, 53);
    write_bytes(&craft->p.w, payload.data, payload.size);
    sctp_pack_chunk_end(&craft->p);
}

void craft_send(struct net *net, int to, struct craft *craft)
{
    settle(craft);
    const size_t size = sctp_pack_end(&craft->p);
    assert_true(size > 0);
    craft_input(net, to, VIEW(craft->bytes, size), false);
}

void craft_input(struct net *net, int to, struct view packet, bool mend)
{
    uint8_t *copy = malloc(packet.size > 0 ? packet.size : 1);   /* exact, for the sanitizer */
    memcpy(copy, packet.data, packet.size);
    if (mend && packet.size >= SCTP_HEADER) {
        memset(copy + 8, 0, 4);
        const uint32_t crc = crc32c(0, VIEW(copy, packet.size));
        for (int i = 0; i < 4; i++)
            copy[8 + i] = (uint8_t)(crc >> 8 * i);
    }
    sctp_input(net->side[to].sctp, net->now, VIEW(copy, packet.size));
    free(copy);
}

void craft_data_to(struct net *net, int to, uint8_t flags, uint32_t ahead, uint16_t stream, uint16_t ssn, struct view payload)
{
    const struct sctp *sctp = net->side[to].sctp;
    struct craft craft = craft_begin(sctp->local_tag);
    craft_data(&craft, flags, sctp->rx.cum + 1 + ahead, stream, ssn, payload);
    craft_send(net, to, &craft);
}

static void check_sending(const struct sctp *sctp)
{
    const struct sctp_tx_side *tx = &sctp->tx;
    uint32_t flight = 0, lost = 0;
    assert_false(tsn_before(tx->next, tx->base));
    assert_false(tsn_before(tx->ack_point, tx->base - 1));
    assert_true(tsn_before(tx->ack_point, tx->next));
    for (uint32_t tsn = tx->base; tsn != tx->next; tsn++) {
        const struct sctp_tx_chunk *chunk = sctp_tx_at(sctp, tsn);
        flight += chunk->state == SCTP_CHUNK_FLIGHT ? sctp_chunk_weight(chunk) : 0;
        lost += chunk->state == SCTP_CHUNK_LOST;
        if (chunk->state == SCTP_CHUNK_LOST)
            assert_false(tsn_before(tsn, tx->lost_from));
        if (chunk->state == SCTP_CHUNK_ACKED)
            assert_true(tsn_before(tsn, tx->gap_end));
        assert_true(chunk->message->chunks > 0);
    }
    assert_int_equal(sctp->path.flight, flight);
    assert_int_equal(tx->lost, lost);
    if (tx->next != tx->base)
        assert_int_not_equal(sctp->timers[SCTP_TIMER_RETRANSMIT], USEC_NEVER);
}

static void check_receiving(const struct sctp *sctp)
{
    const struct sctp_rx_side *rx = &sctp->rx;
    assert_false(tsn_before(rx->cum + 1, rx->base));
    assert_false(tsn_before(rx->highest, rx->cum));
    for (uint32_t tsn = rx->base; !tsn_before(rx->highest, tsn); tsn++) {
        const struct sctp_slot *slot = sctp_slot(sctp, tsn);
        if (!tsn_before(rx->cum, tsn))
            assert_int_equal(slot->state, SCTP_SLOT_HELD);   /* else the base would have moved on */
        assert_int_equal(slot->state == SCTP_SLOT_HELD, slot->rx != NULL);
    }
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < rx->stream_room; i++)
        waiting += rx->streams[i].waiting;
    assert_int_equal(rx->waiting.count, waiting);
    assert_true(rx->held_bytes <= 2 * (uint64_t)rx->window + 200000);
}

void craft_check(const struct sctp *sctp)
{
    if (sctp->state < SCTP_STATE_ESTABLISHED || sctp->state == SCTP_STATE_CLOSED)
        return;
    check_sending(sctp);
    check_receiving(sctp);
}
