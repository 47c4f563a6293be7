#include "proto/stun/stun_query.h"

#define RTO_US    MSEC(500)        /* RFC 8489 6.2.1: RTO, doubled after each request */
#define SENDS_MAX 7u               /* Rc */
#define LAST_WAIT (16 * RTO_US)    /* Rm * RTO after the last request */

void stun_query_start(struct stun_query *query, struct rng *rng, uint32_t txid_prefix, const struct net_addr *server,
                      usec_t now)
{
    *query = (struct stun_query){.state = STUN_QUERY_ASKING, .due = now, .server = *server};
    put_u32(query->txid, txid_prefix);
    rng_bytes(rng, query->txid + 4, sizeof(query->txid) - 4);
}

usec_t stun_query_deadline(const struct stun_query *query)
{
    return query->state == STUN_QUERY_ASKING ? query->due : USEC_NEVER;
}

bool stun_query_poll_tx(struct stun_query *query, usec_t now, uint8_t out[STUN_QUERY_BYTES], size_t *size)
{
    if (query->state != STUN_QUERY_ASKING || now < query->due)
        return false;
    if (query->sends == SENDS_MAX) {
        query->state = STUN_QUERY_FAILED;
        return false;
    }
    query->sends++;
    query->due = now + (query->sends == SENDS_MAX ? LAST_WAIT : RTO_US << (query->sends - 1));
    struct stun_out message;
    stun_begin(&message, out, STUN_QUERY_BYTES, STUN_REQUEST, STUN_BINDING, query->txid);
    *size = stun_end(&message, NULL, NULL);
    return *size > 0;
}

bool stun_query_input(struct stun_query *query, const struct net_addr *from, struct view datagram)
{
    struct stun_message m;
    if (query->state != STUN_QUERY_ASKING || query->sends == 0 || !net_addr_equal(from, &query->server) ||
        !stun_parse(&m, datagram) || m.method != STUN_BINDING || (m.class != STUN_SUCCESS && m.class != STUN_ERROR) ||
        memcmp(m.txid, query->txid, sizeof(query->txid)) != 0)
        return false;
    /* An attribute that must be understood and is not makes a response worthless (RFC 8489 6.3.3). */
    bool good = m.class == STUN_SUCCESS && m.has_mapped && m.unknown_count == 0;
    query->mapped = m.mapped;
    query->state = good ? STUN_QUERY_DONE : STUN_QUERY_FAILED;
    return true;
}
