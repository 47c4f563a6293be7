/* control/admin.h - the Admin API (admin-api.md): one document in, one direct reply out. Control actor only.
 *
 * One table per level; the schema of a request is checked, and the session and handle that it names are found, before its
 * function runs. What only others know is asked for, and the request waits (admin_wait.h). */
#pragma once

#include "control/api_reply.h"

/* Sends exactly one direct reply, now or later. `document` is borrowed. */
void admin_dispatch(struct control *c, const struct request_from *from, json_t *document);

/* -- between the admin_*.c files ------------------------------------------------------------------------------------------- */

enum admin_level {
    ADMIN_ROOT,
    ADMIN_SESSION,                      /* request->session is set */
    ADMIN_HANDLE,                       /* and request->handle */
};

#define ADMIN_ELEMENTS_MAX 3u

struct admin_verb {
    const char *name;
    enum admin_level level;
    void (*run)(struct control *c, struct api_request *request);
    struct element elements[ADMIN_ELEMENTS_MAX];        /* in the order in which they are looked at; key NULL: no more */
};

/* Each ends with a row without a name. */
extern const struct admin_verb admin_core_verbs[];
extern const struct admin_verb admin_session_verbs[];
extern const struct admin_verb admin_handle_verbs[];
extern const struct admin_verb admin_token_verbs[];
extern const struct admin_verb admin_ask_verbs[];

/* `webrtc` of handle_info; `report` NULL: its worker has not answered in time, and what only it knows is left out. */
struct peer_report;
void admin_write_webrtc(const struct control *c, struct json_out *j, const struct pc *pc, const struct peer_report *report);
