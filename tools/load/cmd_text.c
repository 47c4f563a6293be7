/* Many in one text room: one of them speaks, all hear it. What does a delivery cost the server, and does every text arrive, in order? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "load/peers.h"
#include "runtime/clock.h"

#define TEXT_BYTES 100u             /* of a message, as people write them */

struct talk {
    struct peers peers;
    uint64_t said;
    uint64_t heard;                 /* of all */
    uint64_t strange;               /* out of order, or not what was said */
    uint32_t round_heard;           /* of the one that was said last: when all have, the next is said */
    uint32_t progress;
    struct loop_timer next;
    usec_t end_at;
    bool over;
};

static void say_next(struct talk *talk)
{
    char text[TEXT_BYTES + 160], padding[TEXT_BYTES + 1];
    memset(padding, 'x', TEXT_BYTES);
    padding[TEXT_BYTES] = '\0';
    talk->said++;
    talk->round_heard = 0;
    int size = snprintf(text, sizeof(text), "{\"textroom\":\"message\",\"transaction\":\"m\",\"room\":%llu,\"ack\":false,\"text\":\"%llu %s\"}",
                        (unsigned long long)talk->peers.load->options->room, (unsigned long long)talk->said, padding);
    call_say(&talk->peers.calls[0], VIEW(text, (size_t)size));
}

static void on_next(struct loop_timer *timer, usec_t now)
{
    struct talk *talk = CONTAINER_OF(timer, struct talk, next);
    talk->over = now >= talk->end_at;
    if (!talk->over)
        say_next(talk);
}

static void on_text(void *owner, usec_t now, struct call *call, struct view text)
{
    struct talk *talk = CONTAINER_OF((struct peers *)owner, struct talk, peers);
    char wanted[32];
    (void)call;
    if (!str_contains(text, STR("\"textroom\":\"message\"")))
        return;                     /* news of who joins, and replies */
    snprintf(wanted, sizeof(wanted), "\"text\":\"%llu ", (unsigned long long)talk->said);
    talk->strange += !str_contains(text, str_of(wanted));
    talk->heard++;
    talk->progress++;
    if (++talk->round_heard == talk->peers.up)
        loop_set(&talk->peers.load->loop, &talk->next, now);
}

static bool is_over(const void *context)
{
    const struct talk *talk = context;
    return talk->peers.failed > 0 || talk->over;
}

static bool run(struct talk *talk, uint32_t count)
{
    struct peers *peers = &talk->peers;
    struct load *load = peers->load;
    struct proc_sample before, after;
    peers->config = (struct call_config){.kind = CALL_CHAT, .room = load->options->room};
    peers->on_text = on_text;
    if (!peers_call(peers, count))
        return false;
    load_sample(load, &before);
    const usec_t began = clock_now();
    talk->next.on_due = on_next;
    talk->end_at = began + SEC(load->options->seconds);
    loop_set(&load->loop, &talk->next, began);
    if (!load_wait(load, is_over, talk, &talk->progress))
        return load_fail(load, "%u of %u have heard text %llu, and time is up", talk->round_heard, count, (unsigned long long)talk->said);
    if (peers->failed > 0)
        return false;
    const usec_t took = clock_now() - began;
    load_sample(load, &after);
    report_add(&load->report, "peers", count, "", 0);
    report_add(&load->report, "deliveries", (double)talk->heard, "", 0);
    report_add(&load->report, "deliveries_per_s", (double)talk->heard * 1e6 / (double)took, "", 0);
    report_add(&load->report, "out_of_order", (double)talk->strange, "", 0);
    load->unwanted = talk->strange > 0;
    if (load->options->pid != 0)
        report_add(&load->report, "server_cpu_per_delivery", (double)(after.cpu_us - before.cpu_us) / (double)talk->heard, "us", 2);
    return true;
}

bool cmd_text(struct load *load)
{
    struct talk talk = {.said = 0};
    const uint32_t count = load->options->count > 1 ? load->options->count : 1000;
    bool fine = peers_init(&talk.peers, load, count) && run(&talk, count);
    loop_set(&load->loop, &talk.next, USEC_NEVER);
    peers_fini(&talk.peers);
    return fine;
}
