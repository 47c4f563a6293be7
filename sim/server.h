/* sim/server.h - the server in a world: main's part of src/main.c, around the real boot, control, io and workers.
 *
 *   server_open -> (the world runs) -> server_stop -> server_is_down -> server_close */
#pragma once

#include "base/net.h"
#include "runtime/actor.h"

#define SERVER_ROOMS      3u
#define SERVER_ROOM_FIRST 1001u
#define SERVER_PORT       8188u
#define SERVER_HTTP_PORT  8088u
#define SERVER_UDP_FIRST  20000u

struct server_options {
    uint32_t workers;
    uint32_t session_timeout_s;
    uint32_t reclaim_s;
};

bool server_open(const struct server_options *options);
void server_stop(void);
bool server_is_down(void);
void server_close(void);
struct net_addr server_address(void);
struct net_addr server_http_address(void);           /* of its WebSocket listener */

void *server_owner(actor_id id);                /* what an actor of it owns: struct control, struct io, struct worker */
uint32_t server_worker_count(void);

/* A look inside, for checkers. Two files: control and worker have different things of one name. */
#define INSIDE_PUBLISHERS_MAX 64u
/* Who publishes in a room, `but` left out. False: there is no such room. */
bool inside_publishers(uint64_t room, uint64_t but, uint64_t ids[INSIDE_PUBLISHERS_MAX], uint32_t *count);
/* sim_fail for whatever is left there when nobody is. */
void inside_control_quiet(void);
void inside_worker_quiet(uint32_t index);

/* The files of its configuration folder. */
const char *server_file(const char *path);
