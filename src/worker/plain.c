/* Sockets of plain RTP, opened while the server runs: one that can't be had is an answer (ERR_FULL, ERR_IO), and nothing is left
 * of it. What is to be sent through them is collected over a turn, sealed over all keys at once, and sent in order. */
#include <string.h>
#include <sys/epoll.h>

#include "proto/rtcp/rtcp.h"
#include "runtime/log.h"
#include "worker/worker_private.h"

#define LATCH_PACKETS 2u                /* videoroom.md 6.2 */

struct plain *plain_get(struct worker *w, struct ref name)
{
    return slots_get(&w->plains, name);
}

/* -- opening and closing -------------------------------------------------------------------------------------------------- */

static enum err open_socket(struct worker *w, struct plain *plain, const struct plain_open_order *order)
{
    const struct udp_options options = {
        .local = order->options.local, .port_min = order->options.port_min, .port_max = order->options.port_max,
        .interface = order->options.interface[0] == '\0' ? NULL : order->options.interface, .group = order->options.multicast};
    enum err err = udp_open(&plain->udp, &options, rng_u32(&w->rng));
    if (err != ERR_NONE)
        return err;
    if (actor_watch(w->actor, plain->udp.fd, EPOLLIN, ref_pack(order->plain)))
        return ERR_NONE;
    udp_close(&plain->udp);
    return ERR_IO;
}

static enum err open_plain(struct worker *w, const struct plain_open_order *order, struct net_addr *local)
{
    struct plain *plain = pool_get(&w->plain_pool);
    if (plain == NULL)
        return ERR_FULL;
    plain->name = order->plain;
    plain->use = order->options.use;
    list_init(&plain->askers);
    list_init(&plain->inlets);
    enum err err = open_socket(w, plain, order);
    if (err != ERR_NONE) {
        pool_put(&w->plain_pool, plain);
        return err;
    }
    if (!slots_put(&w->plains, order->plain, plain)) {
        w->counters.orders_malformed++;         /* control has used a name twice */
        actor_unwatch(w->actor, plain->udp.fd);
        udp_close(&plain->udp);
        pool_put(&w->plain_pool, plain);
        return ERR_INVALID;
    }
    *local = plain->udp.local;
    return ERR_NONE;
}

/* Empty RTP packets: the far side learns where its RTCP is to go. */
static void latch(struct worker *w, struct ref name, const struct net_addr *to)
{
    const struct plain_item item = {.plain = name, .to = *to, .size = RTP_HEADER_SIZE};
    for (unsigned i = 0; i < LATCH_PACKETS; i++) {
        uint8_t *out = plain_reserve(w);
        memset(out, 0, RTP_HEADER_SIZE);
        out[0] = 2u << 6;                       /* RFC 3550 5.1: version 2 */
        plain_commit(w, &item);
    }
}

void on_plain_open(struct worker *w, usec_t now, const struct plain_open_order *order, struct ref op)
{
    struct plain_opened_fact fact = {.plain = order->plain, .worker = w->config.index};
    (void)now;
    enum err err = open_plain(w, order, &fact.local);
    fact.error = (uint8_t)err;
    if (err != ERR_NONE) {
        w->counters.plain_refused++;
        LOG_WARN(w->actor, "worker %u has no UDP socket for plain RTP: %s", w->config.index, err_name(err));
    } else if (order->options.latch.family != NET_NONE) {
        latch(w, order->plain, &order->options.latch);
    }
    actor_send_op(w->actor, ACTOR_CONTROL, CONTROL_PLAIN_OPENED, op, &fact, sizeof(fact));
}

static void close_plain(struct worker *w, struct plain *plain)
{
    plain_flush(w);                             /* what is to be sent names it */
    for (struct list *it; (it = list_pop(&plain->askers)) != NULL;)
        ;                                       /* they go on without a back-channel */
    for (struct list *it; (it = list_pop(&plain->inlets)) != NULL;)
        ;                                       /* and these fall silent */
    slots_del(&w->plains, plain->name);
    actor_unwatch(w->actor, plain->udp.fd);
    udp_close(&plain->udp);
    pool_put(&w->plain_pool, plain);
}

void on_plain_close(struct worker *w, usec_t now, const struct plain_close_order *order)
{
    struct plain *plain = plain_get(w, order->plain);
    (void)now;
    if (plain == NULL)
        w->counters.orders_stale++;             /* it could not be opened */
    else
        close_plain(w, plain);
}

void plains_close(struct worker *w)
{
    for (uint32_t i = slots_next(&w->plains, 0); i != UINT32_MAX; i = slots_next(&w->plains, i + 1))
        close_plain(w, slots_at(&w->plains, i));
}

/* -- what comes in --------------------------------------------------------------------------------------------------------- */

static void ask_all(const struct plain *plain, uint32_t media_ssrc)
{
    LIST_EACH(it, &plain->askers)
        outlet_asked(CONTAINER_OF(it, struct outlet, asker), media_ssrc);
}

static void input_rtcp(const struct plain *plain, struct view datagram)
{
    struct rtcp_iter it = rtcp_iter_of(datagram);
    struct rtcp_packet packet;
    struct rtcp_feedback feedback;
    struct rtcp_fir fir;
    while (rtcp_next(&it, &packet)) {
        if ((!rtcp_is_pli(&packet) && !rtcp_is_fir(&packet)) || !rtcp_feedback_parse(&feedback, &packet))
            continue;
        if (rtcp_is_pli(&packet))
            ask_all(plain, feedback.media_ssrc);
        for (size_t i = 0; rtcp_is_fir(&packet) && rtcp_fir_at(&fir, &feedback, i); i++)
            ask_all(plain, fir.ssrc);
    }
}

static void input(struct worker *w, usec_t now, struct plain *plain, const struct udp_datagram *datagram)
{
    switch ((enum plain_use)plain->use) {
    case PLAIN_SEND: break;
    case PLAIN_ASK: input_rtcp(plain, VIEW(datagram->data, datagram->size)); break;
    case PLAIN_RECEIVE: inlet_input(w, now, plain, datagram->data, datagram->size); break;
    case PLAIN_LATCH: plain->from = datagram->from; break;
    }
}

void plain_ready(struct worker *w, usec_t now, struct ref name)
{
    struct plain *plain = plain_get(w, name);
    if (plain == NULL)
        return;                                 /* closed in this turn */
    for (uint32_t taken = 0; taken < DATAGRAMS_PER_TURN; taken += UDP_BATCH) {
        bool more = udp_recv_batch(&plain->udp, w->inbox);
        w->counters.plain_in += w->inbox->count;
        for (uint32_t i = 0; i < w->inbox->count; i++)
            input(w, now, plain, &w->inbox->items[i]);
        if (w->env.egress.count >= EGRESS_FLUSH_AT)
            egress_flush(w, now);
        if (!more)
            break;
    }
}

/* -- what goes out --------------------------------------------------------------------------------------------------------- */

uint8_t *plain_reserve(struct worker *w)
{
    if (w->plain_out->count == PLAIN_BATCH)
        plain_flush(w);
    return w->plain_out->bytes[w->plain_out->count];
}

void plain_commit(struct worker *w, const struct plain_item *item)
{
    w->plain_out->items[w->plain_out->count++] = *item;
}

static void seal_all(struct worker *w)
{
    struct plain_batch *batch = w->plain_out;
    struct seal_job jobs[PLAIN_BATCH];
    uint32_t of_job[PLAIN_BATCH], count = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct plain_item *item = &batch->items[i];
        if (item->keys == NULL)
            continue;
        of_job[count] = i;
        jobs[count++] = (struct seal_job){.keys = item->keys, .index = item->index, .packet = batch->bytes[i],
                                          .header_size = item->header_size, .size = item->size};
    }
    if (count > 0)
        seal_protect(w->env.seal, jobs, count);
    for (uint32_t k = 0; k < count; k++) {
        batch->items[of_job[k]].size = jobs[k].ok ? jobs[k].size : 0;
        w->counters.seal_failed += !jobs[k].ok;
    }
}

void plain_flush(struct worker *w)
{
    struct plain_batch *batch = w->plain_out;
    struct udp_run runs[PLAIN_BATCH];
    struct view packets[PLAIN_BATCH];
    if (batch->count == 0)
        return;
    seal_all(w);
    for (uint32_t i = 0, count; i < batch->count; i += count) {
        struct plain *plain = plain_get(w, batch->items[i].plain);
        uint32_t run_count = 0;
        for (count = 0; i + count < batch->count && ref_equal(batch->items[i + count].plain, batch->items[i].plain); count++) {
            const struct plain_item *item = &batch->items[i + count];
            if (item->size == 0)
                continue;
            packets[run_count] = VIEW(batch->bytes[i + count], item->size);
            runs[run_count] = (struct udp_run){.to = item->to, .packets = &packets[run_count], .packet_count = 1};
            run_count++;
        }
        if (plain != NULL && run_count > 0)
            (void)udp_send_batch(&plain->udp, runs, run_count);     /* what a full socket refuses is lost, and counted there */
        w->counters.plain_sent += run_count;
    }
    batch->count = 0;
}

void plain_send_now(struct worker *w, struct ref name, const struct net_addr *to, struct view datagram)
{
    const struct udp_run run = {.to = *to, .packets = &datagram, .packet_count = 1};
    plain_flush(w);                             /* in order with what waits */
    struct plain *plain = plain_get(w, name);
    if (plain == NULL)
        return;
    (void)udp_send_batch(&plain->udp, &run, 1);
    w->counters.plain_sent++;
}
