/* tests/unit/control/probe_plugin.h - a plugin that does what the request tells it to and keeps a diary of what it is told.
 *
 * {"do": "sync" | "empty" | "error" | "silent" | "ack" | "events" | "answer" | "refuse" | "answer-twice" | "offer" | "restart" |
 *        "add-line" | "offer-data" | "echo" | "close" | "detach" | "close-and-detach" | "bad-answer" | "wrong-answer" | "bad-offer" | "group" |
 *        "huge" | "log" | "save", ...}
 * "save" begins an operation: with "ack" it is acknowledged at once; "steps" says how many follow one another; "free" lets it and
 * its like overtake. It ends with {"saved": STATUS} or what "then" ("sync", "ack", "error") says.
 * Unless said otherwise a request ends with PLUGIN_ACK, and what it pushes carries the request's transaction. */
#pragma once

#include "plugins/plugin.h"

extern const struct plugin_desc *const probe_table[];

/* What it was told since the last call: words like "attach", "setup", "hangup", separated by blanks. */
const char *probe_diary(void);
void probe_reset(void);

/* The last attached handle, and what it found out in its last request. */
struct host *probe_host(void);
struct ref probe_handle(void);
struct probe_seen {
    bool has_jsep, update, e2ee;
    char type[16];
    char sdp[8192];
    size_t simulcast_count;
    struct jsep_simulcast simulcast[4];
    bool has_svc;
    enum err event_result;
    struct ref source;
    struct ref sink;
    struct source_desc desc;
    enum err begin_result;
    uint32_t steps;                     /* of the last resumed request */
    uint32_t data_count;                /* messages that were taken */
    char label[32], protocol[32], data[64];
    bool binary;
    bool puts_off;                      /* the test's: messages are not taken */
};
extern struct probe_seen probe_seen;
