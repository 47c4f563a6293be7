/* Thirty clients that do what comes to their mind, right and wrong, in rooms that come and go. After each step: what clients have
 * been told is what the rooms hold, and what flows is what subscriptions say. SEED=n runs another storm. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "rooms.h"

#define SEATS   30
#define ROOMS   3
#define STEPS   2500
#define KNOWN   64

struct seat {
    bool used, blind;               /* blind: something was not told to it */
    uint32_t handle;
    bool in;                        /* as it knows */
    int64_t room, id;
    int64_t known[KNOWN];           /* publishers that it has been told of */
    unsigned known_count;
};

static struct seat seats[SEATS];
static uint64_t state_of_chance;
static unsigned replies;            /* to the request of this step */

static unsigned chance(unsigned below)
{
    state_of_chance = state_of_chance * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((state_of_chance >> 33) % below);
}

static const char *pick(const char *const *list, unsigned count)
{
    return list[chance(count)];
}

/* ---- what clients hear ---- */

static void learn(struct seat *seat, int64_t id)
{
    for (unsigned i = 0; i < seat->known_count; i++)
        if (seat->known[i] == id)
            return;
    assert_true(seat->known_count < KNOWN);
    seat->known[seat->known_count++] = id;
}

static void forget(struct seat *seat, const json_t *id)
{
    for (unsigned i = 0; json_is_integer(id) && i < seat->known_count; i++)
        if (seat->known[i] == json_integer_value(id))
            seat->known[i] = seat->known[--seat->known_count];
}

static void learn_list(struct seat *seat, const json_t *publishers)
{
    size_t index;
    const json_t *publisher;
    json_array_foreach(publishers, index, publisher)
        learn(seat, fake_int(publisher, "id"));
}

static void hear(struct seat *seat, const struct fake_event *event)
{
    char last[16];
    const json_t *data = event->data;
    const char *what = json_string_value(json_object_get(data, "videoroom"));
    assert_non_null(what);
    snprintf(last, sizeof(last), "t%u", h.transactions);
    replies += strcmp(event->transaction, last) == 0;
    if (strcmp(what, "joined") == 0) {
        seat->in = true;
        seat->room = fake_int(data, "room");
        seat->id = fake_int(data, "id");
        seat->known_count = 0;
    }
    if (strcmp(what, "destroyed") == 0 || json_is_string(json_object_get(data, "leaving")))
        seat->in = false;
    learn_list(seat, json_object_get(data, "publishers"));
    forget(seat, json_object_get(data, "unpublished"));
    forget(seat, json_object_get(data, "leaving"));
    forget(seat, json_object_get(data, "kicked"));
}

static void hear_all(void)
{
    const struct fake_event *event;
    for (unsigned i = 0; i < SEATS; i++)
        while (seats[i].used && (event = fake_hear(&h, seats[i].handle)) != NULL)
            hear(&seats[i], event);
}

/* ---- what must hold ---- */

static json_t *query(const struct seat *seat)
{
    struct buf text;
    struct json_out j;
    buf_init(&text, 16u << 20);
    jout_begin(&j, &text, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    h.desc->query(h.plugin, h.handles[seat->handle].state, &j);
    jout_end(&j);
    json_t *got = json_loadb((const char *)text.data, text.size, 0, NULL);
    assert_non_null(got);
    buf_fini(&text);
    return got;
}

static bool is_type(const json_t *view, const char *type)
{
    const char *is = json_string_value(json_object_get(view, "type"));
    return is != NULL && strcmp(is, type) == 0;
}

static void check_known(const struct seat *seat, const json_t *participants)
{
    size_t index;
    const json_t *p;
    unsigned publishing = 0;
    json_array_foreach(participants, index, p) {
        const int64_t id = fake_int(p, "id");
        if (!json_is_true(json_object_get(p, "publisher")) || id == seat->id)
            continue;
        bool told = false;
        for (unsigned i = 0; i < seat->known_count; i++)
            told = told || seat->known[i] == id;
        if (!told)
            fail_msg("%lld publishes, and %lld has not been told", (long long)id, (long long)seat->id);
        publishing++;
    }
    if (publishing != seat->known_count)
        fail_msg("%lld knows %u publishers where there are %u", (long long)seat->id, seat->known_count, publishing);
}

static void check_room(int64_t room, json_t *const views[SEATS])
{
    unsigned inside = 0;
    fake_admin(&h, "{'request':'listparticipants','room':%lld}", (long long)room);
    json_t *participants = json_incref(json_object_get(h.last.body, "participants"));
    for (unsigned i = 0; i < SEATS; i++) {
        const bool is_in = seats[i].used && is_type(views[i], "publisher") && json_integer_value(json_object_get(views[i], "room")) == room;
        inside += is_in;
        if (!seats[i].used || seats[i].blind)
            continue;
        assert_int_equal(is_in, seats[i].in && seats[i].room == room);
        if (is_in)
            check_known(&seats[i], participants);
    }
    assert_int_equal(inside, json_array_size(participants));
    json_decref(participants);
}

/* The source of stream `mid` of participant `id`; NULL: who that was can't be told any more. */
static const struct fake_source *source_of(json_t *const views[SEATS], int64_t room, int64_t id, const char *mid)
{
    for (unsigned i = 0; i < SEATS; i++)
        if (seats[i].used && is_type(views[i], "publisher") && json_integer_value(json_object_get(views[i], "room")) == room &&
            json_integer_value(json_object_get(views[i], "id")) == id)
            return fake_source(&h, seats[i].handle, (uint16_t)atoi(mid));
    return NULL;
}

static void check_line(const struct seat *seat, const json_t *view, const json_t *line, json_t *const views[SEATS])
{
    const struct fake_sink *sink = fake_sink(&h, seat->handle, (uint16_t)fake_int(line, "mindex"));
    const bool active = json_is_true(json_object_get(line, "active")), ready = json_is_true(json_object_get(line, "ready"));
    if (sink == NULL) {
        assert_false(ready && active && h.handles[seat->handle].has_pc);     /* an answer may have taken a line whose feed had gone */
        return;
    }
    if (!active)
        assert_true(ref_is_none(sink->source));
    else if (!sink->options.paused)
        assert_true(ready && json_is_true(json_object_get(line, "send")) && json_is_false(json_object_get(view, "paused")));
    if (ref_is_none(sink->source))
        return;
    const struct fake_source *source = source_of(views, json_integer_value(json_object_get(view, "room")), fake_int(line, "feed_id"),
                                                 json_string_value(json_object_get(line, "feed_mid")));
    if (source != NULL)
        assert_true(ref_equal(source->ref, sink->source));
}

static void check_subscriber(const struct seat *seat, const json_t *view, json_t *const views[SEATS])
{
    size_t index;
    const json_t *line;
    const bool answered = json_is_true(json_object_get(view, "answered"));
    if (!seat->blind)
        assert_int_equal(answered, !h.handles[seat->handle].we_offered);
    if (answered && json_object_get(view, "room") != NULL)
        assert_false(json_is_true(json_object_get(view, "pending_offer")));
    json_array_foreach(json_object_get(view, "streams"), index, line)
        check_line(seat, view, line, views);
}

/* What somebody sends who has left, was kicked or has no room any more goes nowhere. */
static void check_publisher(const struct seat *seat, const json_t *view)
{
    for (uint16_t i = 0; json_object_get(view, "room") == NULL && i < FAKE_LINES; i++) {
        const struct fake_source *source = fake_source(&h, seat->handle, i);
        assert_true(source == NULL || !source->active || h.handles[seat->handle].closing);
    }
}

static void check_all(void)
{
    json_t *views[SEATS] = {NULL};
    for (unsigned i = 0; i < SEATS; i++)
        if (seats[i].used)
            views[i] = query(&seats[i]);
    for (int64_t room = 1; room <= ROOMS; room++)
        check_room(room, views);
    for (unsigned i = 0; i < SEATS; i++) {
        if (seats[i].used && is_type(views[i], "subscriber"))
            check_subscriber(&seats[i], views[i], views);
        else if (seats[i].used && is_type(views[i], "publisher"))
            check_publisher(&seats[i], views[i]);
    }
    for (unsigned i = 0; i < SEATS; i++)
        json_decref(views[i]);
}

/* ---- what clients say ---- */

static const char *some_offer(uint32_t handle)
{
    static const char *const codecs[] = {"vp8", "vp8 h264", "h264", "vp9", "av1 vp8"};
    static const char *const directions[] = {NULL, "sendonly", "sendonly", "sendrecv", "recvonly", "inactive"};
    static const char *const mids[] = {"0", "1", "2", "3", "4", "5"};
    struct offer_line lines[6];
    unsigned count = 1 + chance(3);
    if (count < h.handles[handle].line_count)
        count = h.handles[handle].line_count;               /* lines are never left out: the core sees to that */
    if (count > 6)
        count = 6;
    for (unsigned i = 0; i < count; i++) {
        const bool audio = chance(3) == 0;
        lines[i] = (struct offer_line){.kind = audio ? "audio" : chance(20) == 0 ? "application" : "video", .direction = pick(directions, 6),
                                       .mid = mids[i], .codecs = audio ? (chance(5) == 0 ? "pcmu" : "opus") : pick(codecs, 5), .rejected = chance(12) == 0};
    }
    return offer_of(lines, count);
}

static void say_with_offer(uint32_t handle, const char *body)
{
    static const struct jsep_simulcast layers[] = {{.mindex = 1, .mid = "1", .layer_count = 3, .by_rid = true}};
    const struct fake_say say = {.jsep = "offer", .sdp = some_offer(handle), .e2ee = chance(8) == 0, .simulcast = layers, .simulcast_count = chance(2)};
    if (h.handles[handle].we_offered)
        fake_say(&h, handle, "%s", body);                   /* the core says 490 to such an offer */
    else
        fake_say_jsep(&h, handle, &say, "%s", body);
}

static void say_with_answer(uint32_t handle, const char *body)
{
    if (!h.handles[handle].we_offered) {
        fake_say(&h, handle, "%s", body);
        return;
    }
    char *sdp = fake_answer_text(&h, handle, chance(4) == 0 ? chance(16) : 0);
    const struct fake_say say = {.jsep = "answer", .sdp = sdp};
    fake_say_jsep(&h, handle, &say, "%s", body);
    free(sdp);
}

static long long some_feed(void)
{
    const struct seat *seat = &seats[chance(SEATS)];
    return seat->used && seat->in && chance(10) > 0 ? (long long)seat->id : (long long)chance(9);
}

static const char *some_entries(void)
{
    static char text[1024];
    size_t at = 0;
    const unsigned count = chance(12) == 0 ? 0 : 1 + chance(3);
    for (unsigned i = 0; i < count; i++) {
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s{'feed':%lld", i == 0 ? "" : ",", some_feed());
        if (chance(2) == 0)
            at += (size_t)snprintf(text + at, sizeof(text) - at, ",'mid':'%u'", chance(4));
        if (chance(2) == 0)
            at += (size_t)snprintf(text + at, sizeof(text) - at, ",'sub_mid':'%u'", chance(5));
        if (chance(3) == 0)
            at += (size_t)snprintf(text + at, sizeof(text) - at, ",'send':%s,'substream':%u,'temporal':%u", chance(2) == 0 ? "true" : "false", chance(4), chance(3));
        if (chance(6) == 0)
            at += (size_t)snprintf(text + at, sizeof(text) - at, ",'crossrefid':'c%u','min_delay':%d", chance(9), (int)chance(9) - 2);
        at += (size_t)snprintf(text + at, sizeof(text) - at, "}");
    }
    text[at] = '\0';
    return text;
}

static void join(uint32_t handle)
{
    char body[1600];
    const unsigned room = chance(ROOMS + 1);
    if (chance(2) == 0) {
        snprintf(body, sizeof(body), "{'request':'join','room':%u,'ptype':'subscriber','streams':[%s],'feed':%lld,'autoupdate':%s,'use_msid':true}", room,
                 some_entries(), some_feed(), chance(3) == 0 ? "false" : "true");
        fake_say(&h, handle, "%s", body);
        return;
    }
    snprintf(body, sizeof(body), "{'request':'%s','room':%u,'ptype':'publisher','id':%u,'pin':'p'%s}", chance(2) == 0 ? "join" : "joinandconfigure", room,
             chance(3) == 0 ? 0 : 1 + chance(25), chance(2) == 0 ? ",'display':'d','metadata':{'m':1}" : "");
    if (chance(3) == 0)
        say_with_offer(handle, body);
    else
        fake_say(&h, handle, "%s", body);
}

static void say_as_publisher(uint32_t handle)
{
    char body[512];
    static const char *const more[] = {"", ",'display':'new'", ",'metadata':{'n':[]}", ",'bitrate':70000", ",'keyframe':true", ",'streams':[{'mid':'1','send':false}]",
                                       ",'streams':[{'mid':'1','send':true},{'mid':'0','min_delay':3}]", ",'audio':false", ",'video':true", ",'mid':'7'", ",'bitrate':'x'",
                                       ",'descriptions':[{'mid':'1','description':'x'}]", ",'audiocodec':'opus'", ",'videocodec':'h264'"};
    static const char *const verbs[] = {"publish", "publish", "configure", "configure", "unpublish", "leave", "start", "join"};
    snprintf(body, sizeof(body), "{'request':'%s'%s}", verbs[chance(chance(4) == 0 ? 8 : 5)], pick(more, ARRAY_COUNT(more)));
    if (chance(2) == 0)
        say_with_offer(handle, body);
    else
        fake_say(&h, handle, "%s", body);
}

static void say_as_subscriber(uint32_t handle)
{
    char body[3000];
    const bool answers = chance(3) == 0;
    switch (chance(answers ? 3 : 10)) {
    case 0: snprintf(body, sizeof(body), "{'request':'start'}"); break;
    case 1: snprintf(body, sizeof(body), "{'request':'%s'}", chance(4) == 0 ? "pause" : "start"); break;
    case 2: snprintf(body, sizeof(body), "{'request':'configure','mid':'%u','send':%s,'substream':%u}", chance(4), chance(2) == 0 ? "true" : "false", chance(4)); break;
    case 3: snprintf(body, sizeof(body), "{'request':'configure','%s':true}", chance(2) == 0 ? "update" : "restart"); break;
    case 4: snprintf(body, sizeof(body), "{'request':'subscribe','streams':[%s]}", some_entries()); break;
    case 5: snprintf(body, sizeof(body), "{'request':'unsubscribe','streams':[%s]}", some_entries()); break;
    case 6: snprintf(body, sizeof(body), "{'request':'update','subscribe':[%s],'unsubscribe':[{'sub_mid':'%u'}]}", some_entries(), chance(5)); break;
    case 7: snprintf(body, sizeof(body), "{'request':'switch','streams':[%s]}", some_entries()); break;
    case 8: snprintf(body, sizeof(body), "{'request':'switch','feed':%lld}", some_feed()); break;
    default: snprintf(body, sizeof(body), "{'request':'%s'}", chance(20) == 0 ? "leave" : "publish"); break;
    }
    if (answers)
        say_with_answer(handle, body);
    else
        fake_say(&h, handle, "%s", body);
}

static void manage(uint32_t handle)
{
    const unsigned room = 1 + chance(ROOMS);
    switch (chance(8)) {
    case 0:
        if (chance(4) == 0)
            fake_say(&h, handle, "{'request':'destroy','room':%u}", room);
        break;
    case 1:
    case 2:
        fake_say(&h, handle, "{'request':'create','room':%u,'publishers':%u,'notify_joining':%s,'pin':'%s','videocodec':'vp8,h264','audiolevel_event':true}", room,
                 5 + chance(9), chance(2) == 0 ? "true" : "false", chance(4) == 0 ? "p" : "");
        break;
    case 3: fake_say(&h, handle, "{'request':'kick','room':%u,'id':%lld}", room, some_feed()); break;
    case 4: fake_say(&h, handle, "{'request':'moderate','room':%u,'id':%lld,'mid':'%u','mute':%s}", room, some_feed(), chance(3), chance(2) == 0 ? "true" : "false"); break;
    case 5: fake_say(&h, handle, "{'request':'edit','room':%u,'new_bitrate':%u,'new_publishers':%u}", room, chance(99999), chance(12)); break;
    case 6: fake_say(&h, handle, "{'request':'list'}"); break;
    default: fake_say(&h, handle, "{'request':'listparticipants','room':%u}", room); break;
    }
}

/* ---- steps ---- */

static void speak(struct seat *seat)
{
    const uint32_t handle = seat->handle;
    const bool gone = h.handles[handle].gone;
    json_t *view = query(seat);
    const bool publisher = is_type(view, "publisher"), subscriber = is_type(view, "subscriber");
    json_decref(view);
    if (chance(25) == 0)
        h.refuse = chance(2) == 0 ? ERR_INVALID : ERR_FULL;
    replies = 0;
    h.last.outcome = PLUGIN_SYNC;
    if (chance(8) == 0)
        manage(handle);
    else if (publisher)
        say_as_publisher(handle);
    else if (subscriber)
        say_as_subscriber(handle);
    else
        join(handle);
    h.refuse = ERR_NONE;
    hear_all();
    if (!publisher && !seat->in) {                          /* joined, but its offer was bad: it heard of an error alone */
        view = query(seat);
        seat->blind = seat->blind || is_type(view, "publisher");
        json_decref(view);
    }
    if (h.last.outcome == PLUGIN_ACK && !gone)
        assert_in_range(replies, 1, 2);                     /* two: a switch that woke a line */
    else
        assert_int_equal(replies, 0);
}

static void step(void)
{
    struct seat *seat = &seats[chance(SEATS)];
    if (!seat->used) {
        *seat = (struct seat){.used = true, .handle = fake_attach(&h)};
    } else {
        switch (chance(30)) {
        case 0:
            fake_detach(&h, seat->handle);
            seat->used = false;
            break;
        case 1: fake_hangup(&h, seat->handle); break;
        case 2:
            h.handles[seat->handle].gone = !h.handles[seat->handle].gone;
            seat->blind = true;
            break;
        case 3:
        case 4:
        case 5:
        case 6: fake_up(&h, seat->handle); break;
        case 7:
            for (uint16_t i = 0; i < 3; i++)
                if (fake_sink(&h, seat->handle, i) != NULL)
                    fake_layer(&h, seat->handle, i, (int)chance(4) - 1, (int)chance(4) - 1);
            break;
        case 8: h.desc->slow_link(h.plugin, h.handles[seat->handle].state, (uint16_t)chance(3), true, chance(2) == 0); break;
        case 9: h.desc->tick(h.plugin, h.now += SEC(1)); break;
        default: speak(seat); break;
        }
    }
    hear_all();
    check_all();
    if (chance(3) > 0) {
        fake_turn(&h);
        hear_all();
        check_all();
    }
}

static void run(uint64_t seed, const char *conf)
{
    rooms_start(conf);
    memset(seats, 0, sizeof(seats));
    state_of_chance = seed;
    for (unsigned i = 0; i < STEPS; i++)
        step();
    for (unsigned i = 0; i < SEATS; i++)
        if (seats[i].used)
            fake_detach(&h, seats[i].handle);
    assert_int_equal(fake_sinks_alive(&h), 0);
    fake_stop(&h);
}

static void test_rooms_stand_a_storm(void **state)
{
    (void)state;
    const char *seed = getenv("SEED");
    if (seed != NULL) {
        run(strtoull(seed, NULL, 10), NULL);
        return;
    }
    for (uint64_t i = 1; i <= 4; i++)
        run(i, i % 2 == 0 ? NULL : "room-1: { publishers = 8, require_pvtid = false }\nroom-2: { publishers = 20, fir_freq = 2 }");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rooms_stand_a_storm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
