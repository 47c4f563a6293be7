/* io/client_private.h - between client.c, client_http.c and client_websocket.c only. */
#pragma once

#include "io/client.h"

/* Ends it here and now; what is queued is dropped. */
void client_kill(struct clients *env, struct client *c, enum client_end end);
/* Ends it once everything queued has left. `linger`: the peer may close first, so that nothing of it gets lost on the way. */
void client_finish(struct clients *env, struct client *c, usec_t now, enum client_end end, bool linger);

/* Queues on behalf of the connection itself: heads, pages, pongs, closes. */
void client_queue(struct client *c, usec_t now, enum out_kind kind, struct view head, struct view text);
void client_queue_lasting(struct client *c, usec_t now, struct view text);
bool client_queue_pong(struct clients *env, struct client *c, usec_t now, struct view payload);

/* Whether its address, and the one it was forwarded for, may use the API (transports.md 1.8, 3.3). */
bool client_is_admitted(const struct clients *env, const struct client *c, const struct http_fields *fields);

/* --- client_http.c */
size_t client_http_size(void);
bool client_http_open(struct clients *env, struct client *c, usec_t now);
void client_http_close(struct clients *env, struct client *c);
void client_http_input(struct clients *env, struct client *c, usec_t now, struct ws_input *input);
bool client_http_is_answering(const struct client *c);
void client_http_answered(struct clients *env, struct client *c, usec_t now);    /* its answer has left */

/* --- client_websocket.c */
void client_websocket_open(struct clients *env, struct client *c, usec_t now);
bool client_websocket_input(struct clients *env, struct client *c, usec_t now, struct ws_input *input, struct view *text);
void client_websocket_rest(struct clients *env, struct client *c, usec_t now);      /* the input is used up for now */
void client_websocket_closing_input(struct clients *env, struct client *c, struct ws_input *input);
void client_websocket_close(struct clients *env, struct client *c, usec_t now, enum ws_code code);
bool client_websocket_may_read(const struct client *c);
usec_t client_websocket_deadline(const struct clients *env, const struct client *c);
void client_websocket_timeout(struct clients *env, struct client *c, usec_t now);
