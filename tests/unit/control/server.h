/* tests/unit/control/server.h - a control actor on the test's own thread, in virtual time: say what clients and workers say,
 * hear what goes to them. */
#pragma once

#include "support/seams.h"

#include <jansson.h>

#include "control/control.h"
#include "control/fake_actor.h"
#include "msg/control.h"
#include "msg/disk.h"
#include "msg/io.h"
#include "msg/worker.h"

#define SERVER_WORKERS 2u
#define FINGERPRINT    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"

struct server {
    struct actor *actor;
    struct control *control;
    usec_t now;
    uint64_t seed;                      /* of its random numbers */
    struct settings settings;           /* change what you like before server_start */
    struct control_config config;
    struct control_worker workers[SERVER_WORKERS];
    enum json_layout layout;            /* of all clients */
    uint8_t api;                        /* enum client_api: of what is said next */
    uint8_t transport;                  /* enum transport_kind: the same */
};

/* Defaults: two workers with 127.0.0.1:20000 and :20001, the probe plugin, session_timeout 60. */
void server_init(struct server *s);
void server_start(struct server *s);
/* Frees everything, and fails unless all memory has come back. */
void server_end(struct server *s);

/* Client `n`'s text, and the turn that it comes in. */
void server_say(struct server *s, uint32_t n, const char *format, ...) __attribute__((format(printf, 3, 4)));
void server_say_bytes(struct server *s, uint32_t n, const void *text, size_t size);
/* The same without the end of the turn: more messages come in it. */
void server_post(struct server *s, uint32_t n, const char *text);
void server_gone(struct server *s, uint32_t n);
void server_fact(struct server *s, uint16_t type, const void *payload, size_t size);
/* The oldest save that was asked for and not answered yet is answered (`error` NULL: done); its path is what `path` was.
 * False: there is none. */
bool server_save_done(struct server *s, const char *error);
/* An answer with that name, whatever it is. */
void server_disk_answer(struct server *s, struct ref op, const char *error);
const struct disk_save *server_save(struct server *s, struct ref *op);     /* NULL: none; counts as read */
void server_turn(struct server *s);
void server_advance(struct server *s, usec_t us);      /* with every turn that falls due on the way */

/* The next text to client `n`, NULL when there is none; valid until more is sent. */
const char *server_hear(struct server *s, uint32_t n);
/* The same as a document; the caller json_decrefs it. Fails when there is none. */
json_t *server_hear_json(struct server *s, uint32_t n);
bool server_last_was_event(const struct server *s);
uint32_t server_credits(struct server *s, uint32_t n);  /* since the last call */
void expect_text(struct server *s, uint32_t n, const char *format, ...) __attribute__((format(printf, 3, 4)));
void expect_silence(struct server *s, uint32_t n);
/* The next text is an error: only its code and reason are looked at. */
void expect_error(struct server *s, uint32_t n, int code, const char *reason);

/* The next order of that type to any worker, its worker in *worker (may be NULL); NULL: none. */
const void *server_order(struct server *s, uint16_t type, uint32_t *worker);
uint32_t server_orders(struct server *s, uint16_t type);        /* how many are left; they count as read */

/* Shortcuts that fail unless they succeed. */
int64_t server_create(struct server *s, uint32_t n);
int64_t server_attach(struct server *s, uint32_t n, int64_t session);  /* to the probe plugin */
void server_message(struct server *s, uint32_t n, int64_t session, int64_t handle, const char *body);
/* As JSON strings, with their quotes: for documents that carry an SDP. The caller frees it. */
char *json_quoted(const char *text);
