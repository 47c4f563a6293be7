/* io/client_private.h - between client.c, client_http.c and client_websocket.c only. */
#pragma once

#include "io/client.h"
#include "io/http_config.h"

/* Ends it here and now; what is queued is dropped. */
void client_kill(struct clients *env, struct client *c, enum client_end end);
/* Ends it once everything queued has left. `linger`: the peer may close first, so that nothing of it gets lost on the way. */
void client_finish(struct clients *env, struct client *c, usec_t now, enum client_end end, bool linger);

/* Queues on behalf of the connection itself: heads, pages, pongs, closes. */
void client_queue(struct client *c, usec_t now, enum out_kind kind, struct view head, struct view text);
void client_queue_lasting(struct client *c, usec_t now, struct view text);
bool client_queue_pong(struct clients *env, struct client *c, usec_t now, struct view payload);

/* Whether its address, and the one it was forwarded for, may use the API (transports.md 1.8, 3.3). */
bool client_is_admitted(const struct client *c, const struct http_fields *fields);

/* One more text of that kind may wait; else the connection has ended. */
bool client_has_room(struct clients *env, struct client *c, enum out_kind kind, size_t size);
/* Control may get another text of it. */
bool client_may_ask(const struct client *c);
void client_set_partial(struct clients *env, struct client *c, size_t bytes);

/* Where a connection's HTTP request is. */
enum http_step {
    HTTP_STEP_HEAD,              /* its head comes */
    HTTP_STEP_BODY,
    HTTP_STEP_ASKED,             /* control has its text */
    HTTP_STEP_HELD,              /* a poll that waits for an event */
    HTTP_STEP_ANSWERING,         /* the answer leaves */
};

struct client_http {
    struct http_scan scan;
    struct buf head;             /* of a request whose head didn't come in one piece */
    uint8_t step;                /* enum http_step */
    uint8_t end;                 /* why the connection ends after the answer, unless keep_alive */
    bool later;                  /* it isn't the connection's first */
    bool keep_alive;             /* after the answer */
    bool old;                    /* the client speaks HTTP/1.0 */
    /* Of a request to the API: */
    bool head_only;
    uint32_t poll_events;        /* a poll's maxev */
    struct http_body body;
    struct buf text;             /* its body, or what we ask control in its name */
    struct buf cors;             /* fields of its answer */
    struct client_ask ask;
    struct client *client;
    struct list held;            /* in an eventq, or in the shell's lists of requests that it answers */
    uint8_t want;                /* enum client_want */
    uint64_t after;              /* of the log: the line that the page has already */
};

/* --- client_http.c */
bool client_http_open(struct clients *env, struct client *c, usec_t now);
void client_http_close(struct clients *env, struct client *c);
bool client_http_input(struct clients *env, struct client *c, usec_t now, struct ws_input *input, struct view *text);
void client_http_answered(struct clients *env, struct client *c, usec_t now);    /* its answer has left */
bool client_http_is_admitted_origin(const char *allowed, struct view origin);
static inline enum http_step client_http_step(const struct client *c)
{
    return (enum http_step)c->http->step;
}

/* --- client_api.c: true: *text goes to control */
bool client_api_request(struct clients *env, struct client *c, usec_t now, const struct http_request *req, struct view *text);
bool client_api_body(struct clients *env, struct client *c, usec_t now, struct ws_input *input, struct view *text);
void client_api_refuse(struct clients *env, struct client *c, usec_t now, unsigned status, enum client_end end);
void client_api_reply(struct clients *env, struct client *c, usec_t now, struct view text, unsigned error);
void client_api_timeout(struct clients *env, struct client *c, usec_t now);

/* Of a request to the API that is a GET: `path` is what stands in its target. */
void client_api_answer(struct clients *env, struct client *c, usec_t now, unsigned status, struct view body, struct view location);
void client_api_answer_error(struct clients *env, struct client *c, usec_t now, int code, const char *reason);
bool client_api_ask_for(struct clients *env, struct client *c, const char *verb, struct view query, struct view *text);

/* --- client_admin.c: the same for the listener of the Admin API */
struct api_path;
bool client_admin_get(struct clients *env, struct client *c, usec_t now, const struct http_request *req, const struct api_path *path,
                      struct view *text);

/* --- client_monitor.c: true: it was for something that is shown there, and is answered, or waits for the shell */
bool client_monitor_get(struct clients *env, struct client *c, usec_t now, const struct http_request *req);
void client_monitor_answer(struct clients *env, struct client *c, usec_t now, unsigned status, const char *type, struct view body);

/* --- client_websocket.c */
void client_websocket_open(struct clients *env, struct client *c, usec_t now);
bool client_websocket_input(struct clients *env, struct client *c, usec_t now, struct ws_input *input, struct view *text);
void client_websocket_rest(struct clients *env, struct client *c, usec_t now);      /* the input is used up for now */
void client_websocket_closing_input(struct clients *env, struct client *c, struct ws_input *input);
void client_websocket_close(struct clients *env, struct client *c, usec_t now, enum ws_code code);
usec_t client_websocket_deadline(const struct clients *env, const struct client *c);
void client_websocket_timeout(struct clients *env, struct client *c, usec_t now);
