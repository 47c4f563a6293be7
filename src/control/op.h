/* control/op.h - requests that wait (design section 6): for the answer of another actor to an operation that their plugin has
 * begun, or behind such a request of the same handle.
 *
 *   plugin: message -> verb -> op_begin -> order with the op's name -> PLUGIN_WAIT
 *   answer (a message with that name) -> op_answer -> the plugin's resume -> its outcome is the request's
 *
 * An operation belongs to its request: handle, room and peer are only named. It ends exactly once: by its answer, at its
 * deadline (ERR_TIMEOUT), or with its handle, its client or the server (ERR_GONE); each of them resumes the plugin, whose outcome
 * answers the request before anything else happens to the handle. An answer that comes later finds nobody and is counted. So
 * what an order creates elsewhere is named by us, and a plugin that is told ERR_GONE or ERR_TIMEOUT takes it back by its name.
 *
 * Order per handle: while a request is open, later ones of its handle wait behind it, unless the plugin lets them overtake
 * (plugin_desc.may_overtake; one that may does not hold up others either). Verbs of the core (trickle, keepalive, hangup,
 * detach) pass always. All is bounded: OPS_MAX, OPS_PER_HANDLE_MAX. The client's credit for the text stays taken until
 * all its documents are answered. */
#pragma once

#include "control/api_reply.h"
#include "control/state.h"

#define OP_TIME_US SEC(10)              /* from the first operation of a request until it is given up */

/* One request. */
struct op {
    struct api_request request;         /* keeps its document; the handle outlives it */
    struct credit *credit;
    struct list in_handle;              /* in its ops_open or ops_waiting */
    struct list in_caller;
    struct ref ref;                     /* of the answer that it waits for */
    struct timer deadline;
    usec_t give_up_at;                  /* 0: has begun no operation yet */
    struct list yielding;               /* in control.yielding: its answer is the next turn, or one after it */
    void *data;                         /* the plugin's, for the resume */
    bool open;                          /* an answer is awaited */
    bool acked;                         /* the direct reply has gone already */
    bool over;                          /* may begin nothing more: its handle or client goes, or its time is up */
};

void ops_init(struct control *c);
void ops_fini(struct control *c);

/* For a plugin's verb, during a call about a request of `handle`: the request waits from now on, and *out is the name that the
 * answer must carry. ERR_STATE: no such request is in hand, it brought a jsep, has begun an operation in this very call, or is
 * over. ERR_FULL: at a limit. */
enum err op_begin(struct control *c, const struct handle *handle, void *data, struct ref *out);
/* The same, answered by a later turn: long work that is cut up (host_yield). */
enum err op_begin_yield(struct control *c, const struct handle *handle, void *data);
/* The answer. `answer->data` is filled in. */
void op_answer(struct control *c, struct ref ref, struct plugin_answer *answer);

/* What handle.c asks. False: the request waits on, or has had its direct reply. */
bool op_take_outcome(struct control *c, enum plugin_outcome outcome);
bool op_must_wait(const struct api_request *request);
void op_queue(struct control *c, const struct api_request *request);

/* Everything that waits is answered (what belongs to a client that has gone is dropped). */
void ops_end_of_handle(struct control *c, struct handle *handle);
void ops_end_of_client(struct control *c, struct caller *caller);

/* Once a turn: those whose time is up, the next that has yielded, and requests that have waited for their turn, within the turn's budget. */
void ops_serve(struct control *c);
