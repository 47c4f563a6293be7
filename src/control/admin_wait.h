/* control/admin_wait.h - requests of the Admin API that wait for another actor: for a worker's report, an address, a file.
 *
 *   run -> admin_wait_begin -> message with the wait's name -> answer -> done(answer)
 *
 * A wait ends exactly once: by its answer, or at its deadline (`done` with NULL, where what is missing is left out or an error is
 * told). It holds its document and its client's credit. What the request names may be gone by then: `done` finds it anew by id. */
#pragma once

#include "control/api_reply.h"
#include "control/state.h"

struct admin_wait {
    struct api_request request;         /* session and handle are NULL */
    struct credit *credit;
    struct ref ref;
    struct timer deadline;
    usec_t begun_at;
    usec_t elapsed_us;                  /* of what came before, when it is the second of a request */
    void (*done)(struct control *c, struct admin_wait *wait, const void *answer, size_t size);
};

void admin_waits_init(struct control *c);
void admin_waits_fini(struct control *c);

/* NULL: at ADMIN_WAITS_MAX, and the request has been answered by an error. Else its name is `ref`. */
struct admin_wait *admin_wait_begin(struct control *c, const struct api_request *request, usec_t patience_us,
                                    void (*done)(struct control *c, struct admin_wait *wait, const void *answer, size_t size));
/* For `done`: the request goes on waiting, for another answer. */
void admin_wait_again(struct control *c, struct admin_wait *wait, usec_t patience_us,
                      void (*done)(struct control *c, struct admin_wait *wait, const void *answer, size_t size));

void admin_wait_answer(struct control *c, struct ref ref, const void *answer, size_t size);
void admin_waits_serve(struct control *c);      /* once a turn: those whose time is up */
