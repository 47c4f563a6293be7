/* tests/unit/plugins/rooms.h - the VideoRoom behind the double of the server, and the usual people in its rooms. */
#pragma once

#include "fake_host.h"
#include "offers.h"

extern struct host h;

void rooms_start(const char *conf);             /* NULL: no configuration file */
int rooms_setup(void **state);                  /* without a file; with room 1234 */
int rooms_teardown(void **state);
#define ROOM_TEST(name) cmocka_unit_test_setup_teardown(name, rooms_setup, rooms_teardown)
#define BARE_TEST(name) cmocka_unit_test_teardown(name, rooms_teardown)     /* it calls rooms_start itself */

/* `fields`: more members, "'pin':'x'"; NULL: none. What these do is not heard by anybody. */
void room_create(uint64_t room, const char *fields);
uint32_t guest(unsigned id, const char *fields);                    /* joined room 1234 as publisher, not publishing */
uint32_t publisher(unsigned id);                                    /* audio and video, its media up */
uint32_t publisher_of(unsigned id, const char *offer, const char *fields);
uint32_t viewer(const char *streams);                               /* a subscriber of room 1234, its offer not answered */
uint32_t watcher(const char *streams);                              /* the same, answered and up */
void publish(uint32_t handle, const char *offer, const char *fields);

/* A request with an offer that is answered; the event is returned. */
const struct fake_event *offer_as(uint32_t handle, const char *request, const char *offer, const char *reply);
const struct fake_reply *say_offer(uint32_t handle, const char *body, const char *offer);
const struct fake_reply *say_answer(uint32_t handle, const char *body);     /* takes all of our last offer */

/* What a publisher of offer_av() is, in others' events and in its own. */
#define AV_STREAMS                                                                                                                \
    "[{'type':'audio','mindex':0,'mid':'0','codec':'opus','fec':true},{'type':'video','mindex':1,'mid':'1','codec':'vp8'}]"
#define AV_OWN                                                                                                                    \
    "[{'type':'audio','mindex':0,'mid':'0','codec':'opus','fec':true,'audiolevel_ext_id':1},"                                     \
    "{'type':'video','mindex':1,'mid':'1','codec':'vp8','videoorient_ext_id':13,'playoutdelay_ext_id':5}]"
#define AV_JOINED                                                                                                                 \
    "[{'type':'audio','mindex':0,'mid':'0','codec':'opus','fec':true,'talking':false},"                                           \
    "{'type':'video','mindex':1,'mid':'1','codec':'vp8'}]"

/* Streams as they are described to viewers. */
#define LINE(type, index) "{'type':'" type "','active':true,'mindex':" #index ",'mid':'" #index "',"
#define AUDIO(index, feed, ready) LINE("audio", index) "'ready':" #ready ",'send':true,'feed_id':" #feed ",'feed_mid':'0','codec':'opus'}"
#define VIDEO(index, feed, ready) LINE("video", index) "'ready':" #ready ",'send':true,'feed_id':" #feed ",'feed_mid':'1','codec':'vp8'}"
#define IDLE(type, index) "{'type':'" type "','active':false,'mindex':" #index ",'mid':'" #index "','ready':false,'send':true}"
/* An answer took the line when its source had gone already: ready is what the client has said, whoever feeds it. */
#define ANSWERED_IDLE(type, index) "{'type':'" type "','active':false,'mindex':" #index ",'mid':'" #index "','ready':true,'send':true}"
#define ATTACHED "'videoroom':'attached','room':1234"
#define UPDATED "'videoroom':'updated','room':1234"
#define EVENT "'videoroom':'event','room':1234"

bool line_is_paused(uint32_t handle, uint16_t mindex);             /* or has no sink */
bool line_is_fed_by(uint32_t publisher_handle, uint16_t from, uint32_t handle, uint16_t mindex);
const struct fake_event *expect_offer(uint32_t handle, const char *body);       /* the reply to what was said last */
const struct fake_event *expect_offer_told(uint32_t handle, const char *body);  /* unasked */
void watcher_starts(uint32_t handle);                               /* takes all of our last offer */
