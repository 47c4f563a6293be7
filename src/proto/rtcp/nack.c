/* proto/rtcp/nack.c - see the header for the rules. Invariant: runs[0..count) are disjoint and in the order in which their
 * packets were sent; none holds a number that has arrived. */
#include "proto/rtcp/nack.h"

#include "base/check.h"
#include "proto/rtp/seq.h"

#define ASKS 2u                    /* webrtc.md 11: first and second (last) NACK */
#define MS(us) ((int32_t)((us) / 1000u))

void nack_init(struct nack_gen *nack)
{
    *nack = (struct nack_gen){0};
}

static int32_t age_ms(const struct nack_run *run, usec_t now)
{
    return (int32_t)((uint32_t)(now / 1000u) - run->since_ms);
}

static bool run_has(const struct nack_run *run, uint16_t seq)
{
    return (uint16_t)(seq - run->first) < run->count;
}

/* Whether asking still makes sense: its last number is inside the window. */
static bool run_is_tracked(const struct nack_gen *nack, const struct nack_run *run)
{
    return (uint16_t)(nack->newest - (run->first + run->count - 1)) <= NACK_WINDOW;
}

static void remove_run(struct nack_gen *nack, unsigned index)
{
    nack->count--;
    for (unsigned i = index; i < nack->count; i++)
        nack->runs[i] = nack->runs[i + 1];
}

static void make_room(struct nack_gen *nack)
{
    if (nack->count < NACK_RUNS_MAX)
        return;
    unsigned victim = 0;
    for (unsigned i = 1; i < nack->count; i++)
        if (nack->runs[i].asked > nack->runs[victim].asked)
            victim = i;
    if (nack->runs[victim].asked < ASKS)
        nack->dropped += nack->runs[victim].count;
    remove_run(nack, victim);
}

static void insert_run(struct nack_gen *nack, unsigned index, struct nack_run run)
{
    CHECK(nack->count < NACK_RUNS_MAX);
    for (unsigned i = nack->count; i > index; i--)
        nack->runs[i] = nack->runs[i - 1];
    nack->runs[index] = run;
    nack->count++;
}

static int find_run(const struct nack_gen *nack, uint16_t seq)
{
    for (unsigned i = 0; i < nack->count; i++)
        if (run_has(&nack->runs[i], seq))
            return (int)i;
    return -1;
}

/* Takes `seq` out; what stood on its two sides stays. */
static bool take(struct nack_gen *nack, uint16_t seq)
{
    int index = find_run(nack, seq);
    if (index < 0)
        return false;
    struct nack_run *run = &nack->runs[index];
    struct nack_run after = *run;
    uint8_t before = (uint8_t)(seq - run->first);
    after.first = (uint16_t)(seq + 1);
    after.count = (uint8_t)(run->count - before - 1);
    run->count = before;
    if (before == 0)
        remove_run(nack, (unsigned)index);
    if (after.count == 0)
        return true;
    if (before == 0) {
        insert_run(nack, (unsigned)index, after);
        return true;
    }
    make_room(nack);               /* may move what we have just cut, or remove it: `after` takes its place then */
    int left = find_run(nack, (uint16_t)(seq - 1));
    insert_run(nack, (unsigned)(left >= 0 ? left + 1 : index), after);
    return true;
}

static void forget_old(struct nack_gen *nack, usec_t now)
{
    for (unsigned i = nack->count; i > 0; i--)
        if (age_ms(&nack->runs[i - 1], now) > MS(NACK_REMEMBER_US))
            remove_run(nack, i - 1);
}

enum nack_seen nack_input(struct nack_gen *nack, usec_t now, uint16_t seq, bool keyframe)
{
    int ahead = seq_diff(seq, nack->newest);
    if (!nack->started || ahead > (int)NACK_WINDOW || ahead < -NACK_BEHIND_MAX) {
        bool first = !nack->started;
        nack->started = true;
        nack->newest = seq;
        nack->count = 0;
        return first ? NACK_SEEN_NEW : NACK_SEEN_RESTART;
    }
    if (ahead <= 0)
        return take(nack, seq) ? NACK_SEEN_RECOVERED : NACK_SEEN_OLD;

    forget_old(nack, now);
    if (keyframe) {
        nack->count = 0;           /* what came before it is of no more use */
    } else if (ahead > 1) {
        make_room(nack);
        insert_run(nack, nack->count, (struct nack_run){
            .first = (uint16_t)(nack->newest + 1),
            .count = (uint8_t)(ahead - 1),
            .since_ms = (uint32_t)((now + 999u) / 1000u),      /* rounded up: never asked for early */
        });
    }
    nack->newest = seq;
    return NACK_SEEN_NEW;
}

static int32_t wait_ms(const struct nack_run *run)
{
    return run->asked == 0 ? MS(NACK_FIRST_US) : MS(NACK_SECOND_US);
}

static bool wants_ask(const struct nack_gen *nack, const struct nack_run *run)
{
    return run->asked < ASKS && run_is_tracked(nack, run);
}

size_t nack_poll(struct nack_gen *nack, usec_t now, uint16_t *seqs, size_t room)
{
    CHECK(room >= NACK_WINDOW);
    size_t given = 0;
    for (unsigned i = 0; i < nack->count; i++) {
        struct nack_run *run = &nack->runs[i];
        if (!wants_ask(nack, run) || age_ms(run, now) < wait_ms(run))
            continue;
        if (run->count > room - given)
            break;
        for (unsigned j = 0; j < run->count; j++)
            seqs[given++] = (uint16_t)(run->first + j);
        if (run->asked == 0)       /* asked late: the second ask keeps its distance from this one */
            run->since_ms = (uint32_t)(now / 1000u) - (uint32_t)MS(NACK_FIRST_US);
        run->asked++;
    }
    nack->asked_total += (uint32_t)given;
    return given;
}

usec_t nack_deadline(const struct nack_gen *nack, usec_t now)
{
    usec_t deadline = USEC_NEVER;
    for (unsigned i = 0; i < nack->count; i++) {
        const struct nack_run *run = &nack->runs[i];
        if (!wants_ask(nack, run))
            continue;
        int32_t left = wait_ms(run) - age_ms(run, now);
        deadline = usec_min(deadline, left <= 0 ? now : (now / 1000u + (usec_t)left) * 1000u);
    }
    return deadline;
}

bool nack_is_wanted(const struct nack_gen *nack, usec_t now, uint16_t seq)
{
    int index = find_run(nack, seq);
    return index >= 0 && nack->runs[index].asked > 0 && age_ms(&nack->runs[index], now) <= MS(NACK_REMEMBER_US);
}
