/* msg/io.h - all that the transport actor can be told. */
#pragma once

#include "base/types.h"

#define IO_MESSAGES(X)                                              \
    /* name        from      payload                             */ \
    X(SEND,        CONTROL,  struct io_send)                        \
    X(CREDIT,      CONTROL,  struct io_credit)                      \
    X(CLOSE,       CONTROL,  struct io_close)

enum io_message {
    IO_NONE,
#define X(name, from, payload) IO_##name,
    IO_MESSAGES(X)
#undef X
};

/* One text to one client; `size` bytes follow. Replies count against the request's credit, events against the cap of
 * design rule 3 (4 MiB or 2,000 queued: the client is closed). */
struct io_send {
    struct ref client;
    bool event;
    uint32_t size;                  /* last, so that the text begins at sizeof(struct io_send) */
    char text[];
};

/* The request that one credit was held for has been answered in full. */
struct io_credit {
    struct ref client;
};

struct io_close {
    struct ref client;
};
