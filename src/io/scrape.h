/* io/scrape.h - all actors are asked for their numbers, and what comes back becomes one text (base/metrics.h). Who asks while one is
 * under way gets its text too. An actor that does not answer within SCRAPE_WAIT_US is left out, and counted.
 * Owner: io.
 *
 *   scrape_begin; scrape_take for each ACTOR_MEASURED; at scrape_deadline, or when scrape_take says so: scrape_write */
#pragma once

#include "base/metrics.h"
#include "runtime/actor.h"

#define SCRAPE_WAIT_US    MSEC(200)
#define SCRAPE_BYTES_MAX  (8u * 1024u * 1024u)

struct scrape {
    bool open;
    uint32_t generation;                /* of the questions: an answer to an older one is late */
    uint32_t asked, answered;
    usec_t until;
    uint64_t missing, left_out;         /* of all scrapes so far */
    struct {
        actor_id id;
        struct metrics *metrics;        /* NULL: not yet */
    } actors[METRICS_PARTS_MAX];
};

void scrape_begin(struct scrape *scrape, struct actor *self, usec_t now);
/* True: that was the last. Takes the message's block. */
bool scrape_take(struct scrape *scrape, const struct message *m);
/* What that actor has answered, until scrape_write; NULL: nothing. */
const struct metrics *scrape_of(const struct scrape *scrape, actor_id id);
usec_t scrape_deadline(const struct scrape *scrape);       /* USEC_NEVER: none is under way */
/* Ends it. */
void scrape_write(struct scrape *scrape, struct actor *self, struct buf *out);
void scrape_fini(struct scrape *scrape);
