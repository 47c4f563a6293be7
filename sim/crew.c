#include "sim/crew.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "runtime/entropy.h"
#include "sim/network.h"

#define CREW_TICK_US   MSEC(200)
#define ANSWER_US      SEC(8)       /* from a request's leaving to its answer, with a network that loses segments twice */
#define COME_UP_US     SEC(25)      /* from the first request of a call to media */
#define CALM_US        SEC(12)      /* after a disturbance of a connection */
#define KEEPALIVE_US   SEC(20)
#define LINGER_US      SEC(8)

static void on_tick(struct loop_timer *timer, usec_t now);

/* ---- connections ---- */

static void on_open(struct door *door, usec_t now);
static void on_text(struct door *door, usec_t now, struct view text);
static void on_closed(struct door *door, usec_t now);
static const struct door_ops member_ops = {.on_open = on_open, .on_text = on_text, .on_closed = on_closed};

static void on_created(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct member *m = owner;
    (void)now;
    if (m->state != MEMBER_CREATING)
        return;
    m->session = reply == NULL ? 0 : reply->id;
    m->state = m->session == 0 ? MEMBER_AWAY : MEMBER_HERE;
    if (m->session == 0)
        door_close(&m->door);
    else
        door_poll(&m->door, m->session);
}

static void create(struct member *m)
{
    m->state = MEMBER_CREATING;
    janus_create(&m->janus, on_created, m);
}

static void end_legs(struct member *m)
{
    LIST_EACH(it, &m->legs)
        leg_stop(CONTAINER_OF(it, struct leg, node));
}

static void on_claimed(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct member *m = owner;
    (void)now;
    if (m->state != MEMBER_CLAIMING)
        return;
    if (reply != NULL && reply->error == 0) {
        m->state = MEMBER_HERE;
        door_poll(&m->door, m->session);
        return;
    }
    m->session = 0;                 /* gone meanwhile: all that was in it is */
    end_legs(m);
    create(m);
}

static void on_open(struct door *door, usec_t now)
{
    struct member *m = CONTAINER_OF(door, struct member, door);
    m->keepalive_at = now + KEEPALIVE_US;
    if (m->session == 0) {
        create(m);
        return;
    }
    m->state = MEMBER_CLAIMING;
    janus_plain(&m->janus, "claim", m->session, 0, on_claimed, m);
}

void member_connect(struct member *m)
{
    const bool http = (m->crew->plan->knobs[KNOB_http] >> m->index & 1) != 0;
    const struct net_addr to = http ? server_http_address() : server_address();
    if (m->state != MEMBER_AWAY)
        return;
    m->vanished = false;
    if (m->session != 0 && m->crew->plan->knobs[KNOB_reclaim] == 0) {
        m->session = 0;
        end_legs(m);
    }
    if (door_open(&m->door, &m->crew->conns, &to, http, &member_ops))
        m->state = MEMBER_CONNECTING;
}

/* Replies can come no more: what is retired goes for good. */
static void bury(struct member *m)
{
    for (struct list *it; (it = list_pop(&m->retired)) != NULL;)
        mem_put(CONTAINER_OF(it, struct leg, node));
}

void member_lost(struct member *m, usec_t now)
{
    door_close(&m->door);
    m->state = MEMBER_AWAY;
    m->asked_count = 0;
    m->hear_at = USEC_NEVER;
    m->calm_at = now + CALM_US;
    janus_lost(&m->janus, now);
    bury(m);
    if (m->session != 0 && m->crew->plan->knobs[KNOB_reclaim] > 0 && !m->crew->dismissed) {
        LIST_EACH(it, &m->legs)
            CONTAINER_OF(it, struct leg, node)->missed = true;
        return;
    }
    m->session = 0;
    end_legs(m);
    janus_lost(&m->janus, now);
    bury(m);
}

static void on_closed(struct door *door, usec_t now)
{
    member_lost(CONTAINER_OF(door, struct member, door), now);
}

/* ---- the ledger ---- */

static uint64_t number_after(struct view text, const char *key)
{
    const uint8_t *at = memmem(text.data, text.size, key, strlen(key));
    uint64_t value = 0;
    if (at == NULL)
        return 0;
    for (at += strlen(key); at < text.data + text.size && *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    return value;
}

static bool is_free(struct view text)
{
    static const char *const requests[] = {"create", "edit", "destroy", "exists", "list", "listparticipants", "kick", "allowed", "moderate",
                                           "rtp_forward", "stop_rtp_forward", "listforwarders"};
    static const char key[] = "\"request\":\"";
    const char *at = memmem(text.data, text.size, key, sizeof(key) - 1);
    if (at == NULL)
        return false;
    const struct view rest = {(const uint8_t *)at + sizeof(key) - 1, text.size - (size_t)(at - (const char *)text.data) - (sizeof(key) - 1)};
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        const size_t size = strlen(requests[i]);
        if (rest.size > size && memcmp(rest.data, requests[i], size) == 0 && rest.data[size] == '"')
            return true;
    }
    return false;
}

void member_send(void *owner, struct view text)
{
    struct member *m = owner;
    if (m->asked_count < ASKED_MAX && door_is_open(&m->door)) {
        m->asked[(m->asked_first + m->asked_count++) % ASKED_MAX] = (struct asked){
            .transaction = number_after(text, "\"transaction\":\""),
            .handle = number_after(text, "\"handle_id\":"),
            .at = sim->now,
            .free = is_free(text),
        };
        m->crew->counters.asked++;
    }
    door_send(&m->door, text);
}

bool member_can_ask(const struct member *m)
{
    return m->state == MEMBER_HERE && door_is_open(&m->door) && m->asked_count + 300 < ASKED_MAX;
}

static void note_answer(struct member *m, uint64_t transaction)
{
    const struct asked *found = NULL;
    uint32_t place = 0;
    for (; place < m->asked_count; place++) {
        struct asked *asked = &m->asked[(m->asked_first + place) % ASKED_MAX];
        if (asked->transaction == transaction) {
            if (asked->answered)
                sim_fail("answers", "member %u: a second direct answer to its request %llu", m->index, (unsigned long long)transaction);
            asked->answered = true;
            found = asked;
            m->crew->counters.answered++;
            break;
        }
    }
    if (found == NULL)
        sim_fail("answers", "member %u: an answer to request %llu, which it has not made on this connection", m->index,
                 (unsigned long long)transaction);
    for (uint32_t i = 0; found != NULL && !found->free && i < place; i++) {
        const struct asked *before = &m->asked[(m->asked_first + i) % ASKED_MAX];
        if (!before->answered && !before->free && before->handle == found->handle)
            sim_fail("order", "member %u: request %llu of handle %llu is answered before %llu, which was sent before", m->index,
                     (unsigned long long)transaction, (unsigned long long)found->handle, (unsigned long long)before->transaction);
    }
    while (m->asked_count > 0 && m->asked[m->asked_first].answered) {
        m->asked_first = (m->asked_first + 1) % ASKED_MAX;
        m->asked_count--;
    }
}

/* Refused before it was read: there is no transaction in the answer. It is the first that waits, since texts are served in order. */
static void note_unread(struct member *m)
{
    for (uint32_t i = 0; i < m->asked_count; i++) {
        const struct asked *asked = &m->asked[(m->asked_first + i) % ASKED_MAX];
        if (!asked->answered) {
            note_answer(m, asked->transaction);
            return;
        }
    }
}

static void on_text(struct door *door, usec_t now, struct view text)
{
    struct member *m = CONTAINER_OF(door, struct member, door);
    json_t *root = json_loadb((const char *)text.data, text.size, 0, NULL);
    const char *kind = json_string_value(json_object_get(root, "janus"));
    const char *transaction = json_string_value(json_object_get(root, "transaction"));
    uint64_t number;
    if (kind == NULL)
        sim_fail("answers", "member %u: the server has sent what is no JSON of the API: %.*s", m->index, (int)(text.size < 100 ? text.size : 100),
                 (const char *)text.data);
    else if (strcmp(kind, "event") == 0 || strcmp(kind, "hangup") == 0)
        leg_take_text(m, root);
    else if (transaction != NULL && str_u64(str_of(transaction), &number))
        note_answer(m, number);
    else if (transaction == NULL && json_integer_value(json_object_get(json_object_get(root, "error"), "code")) == 490)
        note_unread(m);
    if (kind != NULL && strcmp(kind, "timeout") == 0)
        m->session = 0;
    json_decref(root);
    janus_input(&m->janus, now, text);
    if (m->session == 0 && m->state == MEMBER_HERE)
        member_lost(m, now);
}

/* ---- legs ---- */

struct leg *leg_new(struct member *m, enum call_kind kind)
{
    if (m->leg_count >= LEGS_MAX || !member_can_ask(m))
        return NULL;
    struct leg *leg = mem_get_zero(sizeof(*leg));
    leg->member = m;
    leg->changed_at = leg->heard_at[0] = leg->heard_at[1] = sim->now;
    leg->view_wrong_at = USEC_NEVER;
    list_add_tail(&m->legs, &leg->node);
    m->leg_count++;
    m->crew->counters.legs++;
    (void)kind;
    return leg;
}

void leg_stop(struct leg *leg)
{
    struct member *m = leg->member;
    if (leg->stopped)
        return;
    leg->stopped = true;
    leg_stop_sending(leg);
    if (leg->port != 0)
        m->crew->closed_at[leg->port] = m->state == MEMBER_HERE && !m->vanished && leg->call.attached ? sim->now : 0;
    if (leg->listening)
        leg->call.handle.on_event = leg->call_event;
    call_stop(&leg->call);
    list_del(&leg->node);
    list_add_tail(&m->retired, &leg->node);
    m->leg_count--;
}

struct leg *crew_find(struct member *m, enum call_kind kind, uint32_t pick, bool up)
{
    uint32_t count = 0;
    struct leg *found = NULL;
    for (int pass = 0; pass < 2; pass++) {
        uint32_t at = pass == 0 || count == 0 ? 0 : pick % count;
        LIST_EACH(it, &m->legs) {
            struct leg *leg = CONTAINER_OF(it, struct leg, node);
            if (leg->call.config.kind != kind || (up && leg->call.state != CALL_UP))
                continue;
            if (pass == 0)
                count++;
            else if (at-- == 0)
                found = leg;
        }
    }
    return found;
}

/* ---- time ---- */

static void check_answers(struct member *m, usec_t now)
{
    if (m->asked_count == 0 || m->vanished || m->hear_at != USEC_NEVER || now < m->calm_at)
        return;
    const struct asked *oldest = &m->asked[m->asked_first];
    const usec_t patience = ANSWER_US + sim->patience_us;
    if (now > oldest->at + patience && now > m->calm_at + patience)
        sim_fail("answers", "member %u: request %llu of handle %llu has had no answer for %llu ms", m->index,
                 (unsigned long long)oldest->transaction, (unsigned long long)oldest->handle, (unsigned long long)((now - oldest->at) / 1000));
}

static void tick_leg(struct leg *leg, usec_t now)
{
    const struct member *m = leg->member;
    const enum call_state state = leg->call.state;
    const bool over = state == CALL_FAILED || state == CALL_ENDED;
    /* Some let go of the handle at once when its PeerConnection has ended, others only after a while. */
    const usec_t lingers = state == CALL_ENDED && leg->port % 2 == 0 ? LINGER_US : MSEC(300);
    if (over && now > leg->changed_at + lingers && m->state == MEMBER_HERE) {
        leg_stop(leg);
        return;
    }
    leg_look(leg, now);
    if (!over && state != CALL_UP && m->crew->clean && now > leg->changed_at + COME_UP_US && now > m->calm_at)
        sim_fail("media", "member %u: a call of kind %d is in state %d for %llu ms", m->index, (int)leg->call.config.kind, (int)state,
                 (unsigned long long)((now - leg->changed_at) / 1000));
}

static void heal(struct member *m, usec_t now)
{
    LIST_EACH(it, &m->legs) {
        struct leg *leg = CONTAINER_OF(it, struct leg, node);
        if (leg->port != 0)
            network_partition(leg->port, false);
    }
    m->heal_at = USEC_NEVER;
    (void)now;
}

void member_each_socket(const struct member *m, void (*disturb)(int fd, bool on), bool on)
{
    int sockets[2];
    const uint32_t count = door_sockets(&m->door, sockets);
    for (uint32_t i = 0; i < count; i++)
        disturb(sockets[i], on);
}

static void tick_member(struct member *m, usec_t now)
{
    if (m->hear_at <= now) {
        member_each_socket(m, network_tcp_deaf, false);
        m->hear_at = USEC_NEVER;
        m->calm_at = now + CALM_US;
    }
    if (m->heal_at <= now)
        heal(m, now);
    if (m->state == MEMBER_HERE && now >= m->keepalive_at && member_can_ask(m)) {
        m->keepalive_at = now + KEEPALIVE_US;
        janus_plain(&m->janus, "keepalive", m->session, 0, NULL, NULL);
    }
    check_answers(m, now);
    LIST_EACH(it, &m->legs)
        tick_leg(CONTAINER_OF(it, struct leg, node), now);
}

static void on_tick(struct loop_timer *timer, usec_t now)
{
    struct crew *crew = CONTAINER_OF(timer, struct crew, timer);
    const struct plan *plan = crew->plan;
    while (crew->next_step < plan->step_count && SIM_START_US + plan->steps[crew->next_step].at <= now) {
        crew->counters.steps++;
        crew_step(crew, &plan->steps[crew->next_step++]);
    }
    for (uint32_t i = 0; i < crew->member_count; i++)
        tick_member(&crew->members[i], now);
    usec_t next = now + CREW_TICK_US;
    if (crew->next_step < plan->step_count)
        next = usec_min(next, SIM_START_US + plan->steps[crew->next_step].at);
    loop_set(&crew->loop, timer, next);
}

/* ---- beginning and end ---- */

bool crew_open(struct crew *crew, const struct plan *plan)
{
    const struct rtc_config config = {.endpoints = 512, .lines = 4096, .packets = 65536, .seal = SEAL_BACKEND_AUTO};
    char error[DTLS_ERROR_TEXT];
    struct net_addr local;
    *crew = (struct crew){.plan = plan, .timer = {.on_due = on_tick}, .clean = plan_is_clean(plan)};
    if (!loop_init(&crew->loop))
        return false;
    (void)net_ip_parse(&local, STR(CLIENT_IP));
    rng_init(&crew->rng, entropy_fill, NULL);
    conn_set_init(&crew->conns, &crew->loop, &crew->rng);
    list_init(&crew->strangers);
    if (!net_init(&crew->net, &crew->loop, &local, &config, error))
        return false;
    crew->closed_at = mem_get_zero(65536 * sizeof(*crew->closed_at));
    crew->member_count = (uint32_t)plan->knobs[KNOB_members];
    crew->members = mem_get_zero(crew->member_count * sizeof(*crew->members));
    for (uint32_t i = 0; i < crew->member_count; i++) {
        struct member *m = &crew->members[i];
        m->crew = crew;
        m->index = i;
        door_init(&m->door);
        m->hear_at = m->heal_at = USEC_NEVER;
        list_init(&m->legs);
        list_init(&m->retired);
        janus_init(&m->janus, &crew->rng, member_send, m);
    }
    loop_set(&crew->loop, &crew->timer, sim->now);
    return true;
}

void crew_settle(struct crew *crew)
{
    for (uint32_t i = 0; i < crew->member_count; i++) {
        struct member *m = &crew->members[i];
        if (m->vanished)
            continue;
        heal(m, sim->now);
        if (m->hear_at != USEC_NEVER)
            m->hear_at = sim->now;
    }
}

void crew_dismiss(struct crew *crew)
{
    crew->dismissed = true;
    crew_strangers_end(crew);
    for (uint32_t i = 0; i < crew->member_count; i++) {
        struct member *m = &crew->members[i];
        if (m->state == MEMBER_HERE)
            janus_plain(&m->janus, "destroy", m->session, 0, NULL, NULL);
        member_lost(m, sim->now);
    }
}

void crew_close(struct crew *crew)
{
    loop_set(&crew->loop, &crew->timer, USEC_NEVER);
    for (uint32_t i = 0; i < crew->member_count; i++) {
        member_lost(&crew->members[i], sim->now);
        janus_fini(&crew->members[i].janus, sim->now);
        bury(&crew->members[i]);
    }
    mem_put(crew->members);
    mem_put(crew->closed_at);
    conn_set_fini(&crew->conns);
    net_fini(&crew->net);
    loop_fini(&crew->loop);
}
