#include "rooms.h"

#include <inttypes.h>
#include <stdio.h>

#include "plugins/table.h"

struct host h;

void rooms_start(const char *conf)
{
    fake_start(&h, &videoroom_plugin, conf);
}

int rooms_setup(void **state)
{
    (void)state;
    rooms_start(NULL);
    room_create(1234, NULL);
    return 0;
}

int rooms_teardown(void **state)
{
    (void)state;
    fake_stop(&h);
    return 0;
}

void room_create(uint64_t room, const char *fields)
{
    fake_admin(&h, "{'request':'create','room':%" PRIu64 "%s%s}", room, fields == NULL ? "" : ",", fields == NULL ? "" : fields);
    expect_sync(&h, "{'videoroom':'created','room':%" PRIu64 ",'permanent':false}", room);
}

uint32_t guest(unsigned id, const char *fields)
{
    uint32_t handle = fake_attach(&h);
    fake_say(&h, handle, "{'request':'join','room':1234,'ptype':'publisher','id':%u%s%s}", id, fields == NULL ? "" : ",",
             fields == NULL ? "" : fields);
    const struct fake_event *event = fake_hear(&h, handle);
    assert_non_null(event);
    assert_string_equal(json_string_value(json_object_get(event->data, "videoroom")), "joined");
    fake_forget(&h);
    return handle;
}

const struct fake_reply *say_offer(uint32_t handle, const char *body, const char *offer)
{
    const struct fake_say say = {.jsep = "offer", .sdp = offer};
    return fake_say_jsep(&h, handle, &say, "%s", body);
}

const struct fake_event *offer_as(uint32_t handle, const char *request, const char *offer, const char *reply)
{
    say_offer(handle, request, offer);
    const struct fake_event *event = expect_reply(&h, handle, "%s", reply);
    assert_string_equal(event->jsep, "answer");
    return event;
}

const struct fake_reply *say_answer(uint32_t handle, const char *body)
{
    char *sdp = fake_answer_text(&h, handle, 0);
    const struct fake_say say = {.jsep = "answer", .sdp = sdp};
    const struct fake_reply *reply = fake_say_jsep(&h, handle, &say, "%s", body);
    free(sdp);
    return reply;
}

void publish(uint32_t handle, const char *offer, const char *fields)
{
    char body[512];
    snprintf(body, sizeof(body), "{'request':'publish'%s%s}", fields == NULL ? "" : ",", fields == NULL ? "" : fields);
    say_offer(handle, body, offer);
    const struct fake_event *event = fake_hear(&h, handle);
    assert_non_null(event);
    assert_string_equal(event->jsep, "answer");
    fake_up(&h, handle);
    fake_forget(&h);
}

uint32_t publisher_of(unsigned id, const char *offer, const char *fields)
{
    uint32_t handle = guest(id, NULL);
    publish(handle, offer, fields);
    return handle;
}

uint32_t publisher(unsigned id)
{
    return publisher_of(id, offer_av(), NULL);
}

uint32_t viewer(const char *streams)
{
    uint32_t handle = fake_attach(&h);
    fake_say(&h, handle, "{'request':'join','room':1234,'ptype':'subscriber','streams':%s}", streams);
    const struct fake_event *event = fake_hear(&h, handle);
    assert_non_null(event);
    assert_string_equal(event->jsep, "offer");
    fake_forget(&h);
    return handle;
}

uint32_t watcher(const char *streams)
{
    uint32_t handle = viewer(streams);
    fake_answer(&h, handle, "start");
    fake_up(&h, handle);
    fake_forget(&h);
    return handle;
}

/* ---- lines of viewers ---- */

bool line_is_paused(uint32_t handle, uint16_t mindex)
{
    const struct fake_sink *sink = fake_sink(&h, handle, mindex);
    return sink == NULL || sink->options.paused;
}

bool line_is_fed_by(uint32_t publisher_handle, uint16_t from, uint32_t handle, uint16_t mindex)
{
    const struct fake_sink *sink = fake_sink(&h, handle, mindex);
    const struct fake_source *source = fake_source(&h, publisher_handle, from);
    return sink != NULL && source != NULL && ref_equal(sink->source, source->ref);
}

const struct fake_event *expect_offer(uint32_t handle, const char *body)
{
    const struct fake_event *event = expect_reply(&h, handle, "%s", body);
    assert_string_equal(event->jsep, "offer");
    return event;
}

const struct fake_event *expect_offer_told(uint32_t handle, const char *body)
{
    const struct fake_event *event = expect_told(&h, handle, "%s", body);
    assert_string_equal(event->jsep, "offer");
    return event;
}

void watcher_starts(uint32_t handle)
{
    fake_answer(&h, handle, "start");
    expect_reply(&h, handle, "{" EVENT ",'started':'ok'}");
}
