/* control/api_reply.h - texts to clients: envelopes in the client's layout, keys in the order of janus-api.md 1 and 4.
 *
 * A text is begun, filled and sent without anything in between: there is one scratch buffer.
 *
 *   struct json_out *j = ... reply_begin(c, &j, request, "success");
 *   jout_object(&j, "data"); jout_int(&j, "id", 41); jout_end(&j);
 *   reply_end(c, &j, request); */
#pragma once

#include "control/api_parse.h"
#include "control/state.h"

/* One document of a client, as far as it has been understood. */
struct api_request {
    struct ref client;                  /* gets the reply */
    struct ref owner;                   /* of the session that it creates or claims */
    uint32_t tag;                       /* comes back with the reply */
    enum json_layout layout;
    uint8_t transport;                  /* enum transport_kind */
    json_t *root;
    const char *verb;                   /* as sent */
    const char *transaction;            /* NULL: not known (yet): replies carry none */
    int64_t session_id, handle_id;      /* 0: absent */
    bool has_handle_id;                 /* present and not null */
    struct session *session;
    struct handle *handle;
    uint8_t kind;                       /* enum request_kind (measure.h) */
    usec_t since;                       /* when io delivered it; 0: its reply is not timed */
};

/* -- direct replies: exactly one for each document -------------------------------------------------------------------- */
void reply_begin(struct control *c, struct json_out *j, const struct api_request *request, const char *janus);
void reply_end(struct control *c, struct json_out *j, const struct api_request *request);
void reply_plain(struct control *c, const struct api_request *request, const char *janus);     /* nothing but the header */
void reply_error(struct control *c, const struct api_request *request, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* False: an element of its document is missing or of a wrong type, and that has been answered by 456 or 467. */
bool request_has(struct control *c, const struct api_request *request, const struct element *list, size_t count);

/* -- events ------------------------------------------------------------------------------------------------------------ */
/* False: the session has no client, and the event is lost (counted); nothing may be written then. `handle` may be NULL
 * (`timeout`), `transaction` too. Writes janus, session_id, transaction, sender and opaque_id. */
bool event_begin(struct control *c, struct json_out *j, const struct session *session, const struct handle *handle,
                 const char *janus, const char *transaction);
void event_end(struct control *c, struct json_out *j, const struct session *session);

/* Of a plugin's text: `plugindata`. */
void reply_plugindata(struct json_out *j, const struct handle *handle, struct view data);

/* Between the two, events wait: a plugin's events come after the direct reply of the request that caused them. */
void events_hold(struct control *c);
void events_release(struct control *c);
