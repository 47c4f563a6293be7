/* load/load.h - what all commands share: the loop, connections with a session each, and the server's samples. */
#pragma once

#include "client/call.h"
#include "client/conn.h"
#include "load/options.h"
#include "load/proc.h"
#include "load/report.h"

#define PATIENCE_US SEC(30)         /* without any progress a command gives up */

struct load;

/* A connection, and a session on it. */
struct user {
    struct load *load;
    struct conn conn;
    struct janus janus;
    bool used;                      /* conn and janus are initialised */
    bool open;
    uint64_t session;               /* 0: none yet */
    struct loop_timer keepalive;
};

struct load {
    const struct options *options;
    struct loop loop;
    struct rng rng;
    struct conn_set conns;
    uint32_t user_count;
    uint32_t opened;                /* asked for */
    uint32_t ready;                 /* open, with a session if sessions are wanted */
    uint32_t lost;                  /* connections that have gone, or never came */
    bool wants_session;
    struct user *users;
    struct report report;
    bool unwanted;                  /* the report tells of something that must not be: exit code 1 */
    char error[256];
};

struct command {
    const char *name;
    bool (*run)(struct load *load);     /* false: load->error says why */
};

extern const struct command commands[];

bool load_init(struct load *load, const struct options *options);
void load_fini(struct load *load);
bool load_fail(struct load *load, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Opens connections, `options->parallel` at a time. True when all of them are there. */
bool load_connect(struct load *load, uint32_t count, bool sessions);
/* Turns until `is_done` says so, as long as *progress changes at least every PATIENCE_US. */
bool load_wait(struct load *load, bool (*is_done)(const void *context), const void *context, const uint32_t *progress);
void load_sample(struct load *load, struct proc_sample *out);       /* after half a second of calm */

/* Rows that most commands have: threads, sockets, descriptors with one object and with all of them. */
void load_report_constants(struct load *load, const struct proc_sample *one, const struct proc_sample *all);

bool cmd_api(struct load *load);
bool cmd_idle(struct load *load);
bool cmd_peers(struct load *load);
bool cmd_room(struct load *load);
bool cmd_clients(struct load *load);
bool cmd_text(struct load *load);
bool cmd_storm(struct load *load);
