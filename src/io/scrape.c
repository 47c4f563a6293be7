#include "io/scrape.h"

#include "base/check.h"
#include "base/mem.h"

void scrape_begin(struct scrape *scrape, struct actor *self, usec_t now)
{
    CHECK(!scrape->open);
    scrape->open = true;
    scrape->asked = scrape->answered = 0;
    scrape->generation++;
    scrape->until = usec_add(now, SCRAPE_WAIT_US);
    for (uint32_t id = 0; id < ACTOR_LIMIT && scrape->asked < METRICS_PARTS_MAX; id++) {
        if (actors_get(actor_set(self), (actor_id)id) == NULL)
            continue;
        scrape->actors[scrape->asked].id = (actor_id)id;
        scrape->actors[scrape->asked++].metrics = NULL;
        actor_ask_measure(self, (actor_id)id, (struct ref){id, scrape->generation});
    }
}

bool scrape_take(struct scrape *scrape, const struct message *m)
{
    CHECK(m->size == sizeof(struct metrics));
    if (!scrape->open || m->op.generation != scrape->generation)
        return false;
    for (uint32_t i = 0; i < scrape->asked; i++)
        if (scrape->actors[i].id == m->from && scrape->actors[i].metrics == NULL) {
            scrape->actors[i].metrics = message_take(m);
            scrape->answered++;
            break;
        }
    return scrape->answered == scrape->asked;
}

const struct metrics *scrape_of(const struct scrape *scrape, actor_id id)
{
    for (uint32_t i = 0; i < scrape->asked; i++)
        if (scrape->actors[i].id == id)
            return scrape->actors[i].metrics;
    return NULL;
}

usec_t scrape_deadline(const struct scrape *scrape)
{
    return scrape->open ? scrape->until : USEC_NEVER;
}

static void forget(struct scrape *scrape)
{
    for (uint32_t i = 0; i < scrape->asked; i++) {
        mem_put(scrape->actors[i].metrics);
        scrape->actors[i].metrics = NULL;
    }
    scrape->open = false;
    scrape->asked = scrape->answered = 0;
}

/* What the scrape itself has to say stands in snapshots of its own, one an actor: which have answered. */
static struct metrics *add_own(struct scrape *scrape, uint32_t index)
{
    struct metrics *own = mem_get_zero(sizeof(*own));
    metrics_add(own, METRIC_SCRAPE_UP, NULL, NULL, scrape->actors[index].metrics != NULL ? 1 : 0);
    if (index > 0)
        return own;
    metrics_add(own, METRIC_SCRAPE_MISSING, NULL, NULL, scrape->missing);
    metrics_add(own, METRIC_SCRAPE_LEFT_OUT, NULL, NULL, scrape->left_out);
    return own;
}

void scrape_write(struct scrape *scrape, struct actor *self, struct buf *out)
{
    struct metrics_part parts[METRICS_PARTS_MAX * 2];
    struct metrics *own[METRICS_PARTS_MAX];
    uint32_t count = 0;
    CHECK(scrape->open);
    for (uint32_t i = 0; i < scrape->asked; i++) {
        scrape->missing += scrape->actors[i].metrics == NULL ? 1 : 0;
        scrape->left_out += scrape->actors[i].metrics == NULL ? 0 : scrape->actors[i].metrics->left_out;
    }
    for (uint32_t i = 0; i < scrape->asked; i++) {
        const char *name = actor_name(actors_get(actor_set(self), scrape->actors[i].id));
        own[i] = add_own(scrape, i);
        parts[count++] = (struct metrics_part){name, own[i]};
        if (scrape->actors[i].metrics != NULL)
            parts[count++] = (struct metrics_part){name, scrape->actors[i].metrics};
    }
    metrics_write(out, parts, count);
    for (uint32_t i = 0; i < scrape->asked; i++)
        mem_put(own[i]);
    forget(scrape);
}

void scrape_fini(struct scrape *scrape)
{
    forget(scrape);
}
