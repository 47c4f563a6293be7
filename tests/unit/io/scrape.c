/* A scrape: who answers in time is in it, who does not is left out and counted, and late answers are nobody's. */
#include "io/scrape.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "support/seams.h"

/* -- two actors that are asked, and say what the test lets them say ----------------------------------------------------------- */

struct actor {
    const char *name;
    struct ref asked;
    uint32_t questions;
};

static struct actor io_actor = {.name = "io"}, control_actor = {.name = "control"};

struct actors *actor_set(const struct actor *self)
{
    (void)self;
    return NULL;
}

struct actor *actors_get(struct actors *set, actor_id id)
{
    (void)set;
    return id == ACTOR_IO ? &io_actor : id == ACTOR_CONTROL ? &control_actor : NULL;
}

const char *actor_name(const struct actor *self)
{
    return self->name;
}

void actor_ask_measure(struct actor *self, actor_id to, struct ref op)
{
    struct actor *asked = actors_get(actor_set(self), to);
    asked->asked = op;
    asked->questions++;
}

void *message_take(const struct message *m)
{
    void *block = *m->block;
    *m->block = NULL;
    return block;
}

static bool answer(struct scrape *scrape, actor_id from, struct ref op, uint64_t sessions)
{
    void *block = mem_get_zero(sizeof(struct metrics));
    metrics_add(block, METRIC_SESSIONS, NULL, NULL, sessions);
    const struct message m = {.from = from, .type = ACTOR_MEASURED, .op = op, .payload = block, .size = sizeof(struct metrics), .block = &block};
    const bool last = scrape_take(scrape, &m);
    mem_put(block);
    return last;
}

static bool text_has(struct scrape *scrape, const char *line)
{
    struct buf out;
    buf_init(&out, SCRAPE_BYTES_MAX);
    scrape_write(scrape, &io_actor, &out);
    const bool has = strstr(buf_text(&out), line) != NULL;
    buf_fini(&out);
    return has;
}

static void test_it_is_done_when_the_last_has_answered(void **state)
{
    (void)state;
    struct scrape scrape = {0};
    assert_true(scrape_deadline(&scrape) == USEC_NEVER);
    scrape_begin(&scrape, &io_actor, SEC(1));
    assert_true(scrape_deadline(&scrape) == SEC(1) + SCRAPE_WAIT_US);
    assert_false(answer(&scrape, ACTOR_IO, io_actor.asked, 0));
    assert_false(answer(&scrape, ACTOR_IO, io_actor.asked, 0));         /* once is enough */
    assert_true(answer(&scrape, ACTOR_CONTROL, control_actor.asked, 7));
    uint64_t sessions = 0;
    assert_true(metrics_get(scrape_of(&scrape, ACTOR_CONTROL), METRIC_SESSIONS, &sessions) && sessions == 7);
    assert_true(text_has(&scrape, "\ncardea_scrape_missing_total 0\n"));
    assert_true(scrape_deadline(&scrape) == USEC_NEVER);
    scrape_fini(&scrape);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_who_is_late_is_left_out_and_counted(void **state)
{
    (void)state;
    struct scrape scrape = {0};
    scrape_begin(&scrape, &io_actor, 0);
    const struct ref late = io_actor.asked;
    assert_false(answer(&scrape, ACTOR_CONTROL, control_actor.asked, 7));
    assert_null(scrape_of(&scrape, ACTOR_IO));
    assert_true(text_has(&scrape, "cardea_actor_up{actor=\"io\"} 0\ncardea_actor_up{actor=\"control\"} 1\n"));
    assert_int_equal(scrape.missing, 1);
    scrape_begin(&scrape, &io_actor, SEC(1));
    assert_false(answer(&scrape, ACTOR_IO, late, 0));                   /* to the question before */
    assert_null(scrape_of(&scrape, ACTOR_IO));
    scrape_fini(&scrape);                                               /* in the middle of it */
    assert_int_equal(seam_mem_outstanding(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_done_when_the_last_has_answered),
        cmocka_unit_test(test_who_is_late_is_left_out_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
