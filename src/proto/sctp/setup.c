/* How an association begins (RFC 9260 5.1), and begins when both sides connect or one begins anew (5.2).
 *
 * The cookie is what our INIT ACK hands the peer to give back: all that its INIT said, our tag and TSN, the tie tags and the
 * time, then two SipHashes under two keys of this association: 128 bits that only we can make. */
#include "proto/sctp/sctp_internal.h"

#define COOKIE_MAC    16u
#define COOKIE_BODY   (8u + 4u * 4u + 3u * 4u + 2u * 2u + 2u)
#define COOKIE_SIZE   (COOKIE_BODY + COOKIE_MAC)
#define INIT_FIXED    16u            /* RFC 9260 3.3.2, after the chunk header */
#define REPORT_MAX    256u           /* bytes of parameters we don't know that are sent back */

struct cookie {
    usec_t made_at;
    uint32_t local_tag, local_tsn;
    uint32_t tie_local, tie_peer;    /* RFC 9260 5.2.2; zero: there was no association */
    struct sctp_offer peer;
};

static void cookie_mac(const struct sctp *sctp, const uint8_t *body, uint8_t out[COOKIE_MAC])
{
    for (unsigned i = 0; i < 2; i++) {
        const uint64_t hash = hash_bytes(&sctp->cookie_keys[i], VIEW(body, COOKIE_BODY));
        memcpy(out + 8 * i, &hash, 8);
    }
}

static void cookie_write(const struct sctp *sctp, const struct cookie *cookie, struct writer *out)
{
    uint8_t bytes[COOKIE_SIZE];
    struct writer w = writer_of(bytes, COOKIE_BODY);
    write_u64(&w, cookie->made_at);
    write_u32(&w, cookie->local_tag);
    write_u32(&w, cookie->local_tsn);
    write_u32(&w, cookie->tie_local);
    write_u32(&w, cookie->tie_peer);
    write_u32(&w, cookie->peer.tag);
    write_u32(&w, cookie->peer.window);
    write_u32(&w, cookie->peer.tsn);
    write_u16(&w, cookie->peer.streams_out);
    write_u16(&w, cookie->peer.streams_in);
    write_u8(&w, cookie->peer.has_forward_tsn);
    write_u8(&w, cookie->peer.has_reconfig);
    CHECK(!writer_failed(&w) && writer_left(&w) == 0);
    cookie_mac(sctp, bytes, bytes + COOKIE_BODY);
    write_bytes(out, bytes, sizeof(bytes));
}

static bool cookie_read(const struct sctp *sctp, struct view bytes, struct cookie *out)
{
    uint8_t mac[COOKIE_MAC];
    if (bytes.size != COOKIE_SIZE)
        return false;
    cookie_mac(sctp, bytes.data, mac);
    uint8_t differs = 0;                         /* in constant time */
    for (unsigned i = 0; i < COOKIE_MAC; i++)
        differs |= (uint8_t)(mac[i] ^ bytes.data[COOKIE_BODY + i]);
    if (differs != 0)
        return false;
    struct reader r = reader_of(bytes);
    out->made_at = read_u64(&r);
    out->local_tag = read_u32(&r);
    out->local_tsn = read_u32(&r);
    out->tie_local = read_u32(&r);
    out->tie_peer = read_u32(&r);
    out->peer.tag = read_u32(&r);
    out->peer.window = read_u32(&r);
    out->peer.tsn = read_u32(&r);
    out->peer.streams_out = read_u16(&r);
    out->peer.streams_in = read_u16(&r);
    out->peer.has_forward_tsn = read_u8(&r) != 0;
    out->peer.has_reconfig = read_u8(&r) != 0;
    return true;
}

/* ---- INIT and INIT ACK ---- */

static bool param_is_known(uint16_t type)
{
    switch (type) {
    case SCTP_PARAM_IPV4:                        /* meaningless over DTLS (RFC 8261 5) */
    case SCTP_PARAM_IPV6:
    case SCTP_PARAM_PRESERVATIVE:
    case SCTP_PARAM_HOST_NAME:
    case SCTP_PARAM_ADDRESS_TYPES:
    case SCTP_PARAM_ADAPTATION:
    case SCTP_PARAM_UNKNOWN:
        return true;
    default:
        return false;
    }
}

/* What an INIT or INIT ACK carries. `report` gets the parameters that want to be told as unknown. */
static bool offer_read(struct view value, struct sctp_offer *out, struct view *cookie, struct writer *report)
{
    struct reader r = reader_of(value);
    *out = (struct sctp_offer){.tag = read_u32(&r), .window = read_u32(&r)};
    out->streams_out = read_u16(&r);
    out->streams_in = read_u16(&r);
    out->tsn = read_u32(&r);
    *cookie = VIEW(NULL, 0);
    if (reader_failed(&r))
        return false;
    struct sctp_param param;
    while (sctp_param_next(&r, &param)) {
        if (param.type == SCTP_PARAM_COOKIE) {
            *cookie = param.value;
        } else if (param.type == SCTP_PARAM_FORWARD_TSN) {
            out->has_forward_tsn = true;
        } else if (param.type == SCTP_PARAM_EXTENSIONS) {
            for (size_t i = 0; i < param.value.size; i++) {
                out->has_forward_tsn |= param.value.data[i] == SCTP_FORWARD_TSN;
                out->has_reconfig |= param.value.data[i] == SCTP_RECONFIG;
            }
        } else if (!param_is_known(param.type)) {
            const unsigned bits = param.type >> 14;
            if (sctp_unknown_is_reported(bits) && param.whole.size <= writer_left(report)) {
                write_bytes(report, param.whole.data, param.whole.size);
                write_zeros(report, usec_min(writer_left(report), (4 - param.whole.size % 4) % 4));
            }
            if (!sctp_unknown_is_skipped(bits))
                break;                           /* RFC 9260 3.2.1: what has been read counts */
        }
    }
    return !reader_failed(&r);
}

/* RFC 9260 3.3.2: each of these is to be refused. */
static bool offer_is_sound(const struct sctp_offer *offer)
{
    return offer->tag != 0 && offer->streams_out != 0 && offer->streams_in != 0;
}

void sctp_write_init(struct sctp *sctp, struct sctp_packer *p, uint8_t type, uint32_t tag, uint32_t tsn)
{
    sctp_pack_chunk(p, type, 0);
    write_u32(&p->w, tag);
    write_u32(&p->w, sctp->rx.window);
    write_u16(&p->w, sctp->config.streams_out);
    write_u16(&p->w, sctp->config.streams_in);
    write_u32(&p->w, tsn);
    sctp_pack_param(p, SCTP_PARAM_FORWARD_TSN);
    sctp_pack_param_end(p);
    sctp_pack_param(p, SCTP_PARAM_EXTENSIONS);
    write_u8(&p->w, SCTP_RECONFIG);
    write_u8(&p->w, SCTP_FORWARD_TSN);
    sctp_pack_param_end(p);
}

static void answer_init(struct sctp *sctp, const struct sctp_offer *offer, struct view report)
{
    struct cookie cookie = {.made_at = sctp->now, .local_tag = sctp->local_tag, .local_tsn = sctp->local_tsn, .peer = *offer};
    const bool is_up = sctp->state >= SCTP_STATE_ESTABLISHED;
    if (is_up) {                                 /* RFC 9260 5.2.2: new numbers, and nothing of ours changes yet */
        do
            cookie.local_tag = rng_u32(sctp->config.rng);
        while (cookie.local_tag == 0);
        cookie.local_tsn = rng_u32(sctp->config.rng);
    }
    if (is_up || sctp->state == SCTP_STATE_COOKIE_ECHOED) {
        cookie.tie_local = sctp->local_tag;
        cookie.tie_peer = sctp->peer.tag;
    }
    uint8_t data[SCTP_PACKET_MAX];
    struct sctp_packer p = sctp_reply_begin(sctp, data, offer->tag);
    sctp_write_init(sctp, &p, SCTP_INIT_ACK, cookie.local_tag, cookie.local_tsn);
    sctp_pack_param(&p, SCTP_PARAM_COOKIE);
    cookie_write(sctp, &cookie, &p.w);
    sctp_pack_param_end(&p);
    if (report.size > 0 && report.size + 8 <= writer_left(&p.w)) {
        sctp_pack_param(&p, SCTP_PARAM_UNKNOWN);
        write_bytes(&p.w, report.data, report.size);
        sctp_pack_param_end(&p);
    }
    sctp_pack_chunk_end(&p);
    sctp_reply_end(sctp, &p);
}

bool sctp_on_init(struct sctp *sctp, const struct sctp_chunk *chunk)
{
    uint8_t bytes[REPORT_MAX];
    struct writer report = writer_of(bytes, sizeof(bytes));
    struct sctp_offer offer;
    struct view cookie;
    if (!offer_read(chunk->value, &offer, &cookie, &report)) {
        sctp->shared->counters.malformed++;
        return false;
    }
    if (!offer_is_sound(&offer)) {
        sctp->shared->counters.malformed++;
        if (offer.tag != 0)                      /* without a tag there is nobody to tell */
            sctp_send_abort(sctp, offer.tag, SCTP_CAUSE_INVALID, VIEW(NULL, 0));
        return false;
    }
    if (sctp->state == SCTP_STATE_SHUTDOWN_ACK_SENT) {       /* RFC 9260 9.2 */
        sctp->wants |= SCTP_WANT_SHUTDOWN_ACK;
        return false;
    }
    answer_init(sctp, &offer, VIEW(bytes, writer_size(&report)));
    return false;
}

/* Unknown parameters of an INIT ACK go back with the COOKIE ECHO, or right before it (RFC 9260 3.2.2). */
static void report_params(struct sctp *sctp, struct view report)
{
    if (report.size == 0 || report.size + SCTP_HEADER + 8 > sctp->config.mtu)
        return;
    uint8_t data[SCTP_PACKET_MAX];
    struct sctp_packer p = sctp_reply_begin(sctp, data, sctp->peer.tag);
    sctp_pack_chunk(&p, SCTP_ERROR, 0);
    sctp_pack_param(&p, SCTP_CAUSE_UNKNOWN_PARAM);
    write_bytes(&p.w, report.data, report.size);
    sctp_pack_param_end(&p);
    sctp_pack_chunk_end(&p);
    sctp_reply_end(sctp, &p);
}

bool sctp_on_init_ack(struct sctp *sctp, const struct sctp_chunk *chunk)
{
    if (sctp->state != SCTP_STATE_COOKIE_WAIT) {
        sctp->shared->counters.wrong_state++;    /* RFC 9260 5.2.3 */
        return false;
    }
    uint8_t bytes[REPORT_MAX];
    struct writer report = writer_of(bytes, sizeof(bytes));
    struct sctp_offer offer;
    struct view cookie;
    if (!offer_read(chunk->value, &offer, &cookie, &report)) {
        sctp->shared->counters.malformed++;
        return false;
    }
    if (!offer_is_sound(&offer) || cookie.size == 0 || cookie.size > SCTP_COOKIE_MAX ||
        cookie.size + SCTP_HEADER + SCTP_CHUNK_HEADER > sctp->config.mtu) {
        sctp->peer.tag = offer.tag;
        sctp_violated(sctp, cookie.size == 0 ? SCTP_CAUSE_MISSING : SCTP_CAUSE_INVALID);
        return false;
    }
    sctp->peer = offer;
    report_params(sctp, VIEW(bytes, writer_size(&report)));
    sctp->cookie = sctp_get_memory(sctp, cookie.size);
    sctp->cookie_size = (uint32_t)cookie.size;
    memcpy(sctp->cookie, cookie.data, cookie.size);
    sctp->state = SCTP_STATE_COOKIE_ECHOED;
    sctp->tries = 0;
    sctp->wants = (sctp->wants & ~(uint32_t)SCTP_WANT_INIT) | SCTP_WANT_COOKIE_ECHO;
    sctp_timer_set(sctp, SCTP_TIMER_INIT, sctp->path.rto_us);
    return false;
}

/* ---- the cookie comes back ---- */

/* From here on the peer is known: what its INIT, or its INIT ACK, said. */
static void begin(struct sctp *sctp)
{
    const bool was_waiting = sctp->state < SCTP_STATE_ESTABLISHED;
    sctp->state = SCTP_STATE_ESTABLISHED;
    sctp->streams_out = sctp->config.streams_out < sctp->peer.streams_in ? sctp->config.streams_out : sctp->peer.streams_in;
    sctp->streams_in = sctp->config.streams_in < sctp->peer.streams_out ? sctp->config.streams_in : sctp->peer.streams_out;
    sctp->tx.peer_window = sctp->peer.window;
    sctp->reconfig.peer_seq = sctp->peer.tsn;
    sctp->path.ssthresh = sctp->peer.window > sctp->path.cwnd ? sctp->peer.window : sctp->path.cwnd;     /* 7.2.1 */
    sctp_rx_begin(sctp);
    sctp_queue_fit_streams(sctp);
    sctp_put_memory(sctp, sctp->cookie, sctp->cookie_size);
    sctp->cookie = NULL;
    sctp->cookie_size = 0;
    sctp->tries = 0;
    sctp->path.errors = 0;
    sctp->wants &= ~(uint32_t)(SCTP_WANT_INIT | SCTP_WANT_COOKIE_ECHO);
    sctp_timer_stop(sctp, SCTP_TIMER_INIT);
    sctp_timer_set(sctp, SCTP_TIMER_HEARTBEAT, SCTP_HEARTBEAT_US + sctp->path.rto_us);
    if (was_waiting)
        sctp->tells |= SCTP_TELL_UP;
}

/* RFC 9260 5.2.4.1: the peer has lost its state and begins anew. So do we, under the cookie's numbers. */
static void restart(struct sctp *sctp, const struct cookie *cookie)
{
    sctp->shared->counters.restarts++;
    sctp_clear(sctp);
    while (sctp->rx.ready != NULL) {
        struct sctp_rx *rx = sctp->rx.ready;
        sctp->rx.ready = rx->next;
        sctp_rx_free(sctp, rx);
    }
    sctp->rx.ready_last = NULL;
    for (int i = 0; i < SCTP_TIMER_COUNT; i++)
        sctp->timers[i] = USEC_NEVER;
    sctp->wants = 0;
    sctp->local_tag = cookie->local_tag;
    sctp->local_tsn = cookie->local_tsn;
    sctp->peer = cookie->peer;
    sctp->tx.base = sctp->tx.next = sctp->tx.lost_from = sctp->tx.gap_end = cookie->local_tsn;
    sctp->tx.ack_point = cookie->local_tsn - 1;
    sctp->reconfig.seq = cookie->local_tsn;
    sctp_path_init(sctp);
    begin(sctp);
    sctp->tells |= SCTP_TELL_RESTARTED;
    sctp->wants |= SCTP_WANT_COOKIE_ACK;
}

static void report_stale(struct sctp *sctp, const struct cookie *cookie, usec_t too_old_us)
{
    uint8_t data[SCTP_PACKET_MAX];
    struct sctp_packer p = sctp_reply_begin(sctp, data, cookie->peer.tag);
    sctp_pack_chunk(&p, SCTP_ERROR, 0);
    sctp_pack_param(&p, SCTP_CAUSE_STALE_COOKIE);
    write_u32(&p.w, (uint32_t)usec_min(too_old_us, UINT32_MAX));
    sctp_pack_param_end(&p);
    sctp_pack_chunk_end(&p);
    sctp_reply_end(sctp, &p);
}

/* RFC 9260 5.2.4, for an association that knows its peer. */
static bool cookie_again(struct sctp *sctp, const struct cookie *cookie)
{
    const bool same_local = cookie->local_tag == sctp->local_tag;
    const bool same_peer = cookie->peer.tag == sctp->peer.tag;
    const bool is_up = sctp->state >= SCTP_STATE_ESTABLISHED;
    if (same_local && (same_peer || !is_up)) {   /* D, and B: both sides began at once */
        if (!is_up) {
            sctp->peer = cookie->peer;
            begin(sctp);
        }
        sctp->wants |= SCTP_WANT_COOKIE_ACK;
        return true;
    }
    const bool tied = cookie->tie_local == sctp->local_tag && cookie->tie_peer == sctp->peer.tag;
    if (!same_local && !same_peer && tied && is_up) {        /* A */
        if (sctp->state == SCTP_STATE_SHUTDOWN_ACK_SENT) {
            sctp->wants |= SCTP_WANT_SHUTDOWN_ACK;
            return false;
        }
        restart(sctp, cookie);
        return true;
    }
    sctp->shared->counters.bad_cookies++;        /* C, and what the table does not know: dropped in silence */
    return false;
}

bool sctp_on_cookie_echo(struct sctp *sctp, uint32_t tag, const struct sctp_chunk *chunk)
{
    struct cookie cookie;
    if (!cookie_read(sctp, chunk->value, &cookie) || tag != cookie.local_tag) {
        sctp->shared->counters.bad_cookies++;
        return false;
    }
    const bool is_ours = cookie.local_tag == sctp->local_tag && cookie.peer.tag == sctp->peer.tag;
    if (sctp->now - cookie.made_at > SCTP_COOKIE_LIFE_US && !is_ours) {
        sctp->shared->counters.stale_cookies++;
        report_stale(sctp, &cookie, sctp->now - cookie.made_at - SCTP_COOKIE_LIFE_US);
        return false;
    }
    return cookie_again(sctp, &cookie);
}

void sctp_on_cookie_ack(struct sctp *sctp)
{
    if (sctp->state == SCTP_STATE_COOKIE_ECHOED)
        begin(sctp);
}

/* RFC 9260 5.2.6: try again with a new INIT. The tries go on being counted. */
void sctp_on_stale_cookie(struct sctp *sctp)
{
    if (sctp->state != SCTP_STATE_COOKIE_ECHOED)
        return;
    sctp_put_memory(sctp, sctp->cookie, sctp->cookie_size);
    sctp->cookie = NULL;
    sctp->cookie_size = 0;
    sctp->peer = (struct sctp_offer){0};
    sctp->state = SCTP_STATE_COOKIE_WAIT;
    sctp->tries++;
    sctp->wants = (sctp->wants & ~(uint32_t)SCTP_WANT_COOKIE_ECHO) | SCTP_WANT_INIT;
    sctp_timer_set(sctp, SCTP_TIMER_INIT, sctp->path.rto_us);
}

void sctp_connect(struct sctp *sctp, usec_t now)
{
    sctp->now = now;
    if (sctp->state != SCTP_STATE_NEW)
        return;
    sctp->state = SCTP_STATE_COOKIE_WAIT;
    sctp->wants |= SCTP_WANT_INIT;
    sctp_timer_set(sctp, SCTP_TIMER_INIT, sctp->path.rto_us);
}

/* T1 */
void sctp_setup_timeout(struct sctp *sctp)
{
    if (++sctp->tries > SCTP_MAX_INIT_RETRANS) {
        sctp_close(sctp, SCTP_REASON_NO_ANSWER);
        return;
    }
    sctp->wants |= sctp->state == SCTP_STATE_COOKIE_WAIT ? SCTP_WANT_INIT : SCTP_WANT_COOKIE_ECHO;
    const usec_t wait_us = usec_min((usec_t)sctp->path.rto_us << sctp->tries, SCTP_RTO_MAX_US);
    sctp_timer_set(sctp, SCTP_TIMER_INIT, wait_us);
}
