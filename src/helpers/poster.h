/* helpers/poster.h - the actor that posts JSON to web servers that rooms name (textroom.md 5.15), by libcurl, which never blocks it:
 * its sockets are watched by the actor's loop, and names are resolved by the dns actor, since Debian's libcurl would start a
 * thread for each.
 *
 * One queue per URL, and one post of it at a time, so that what a room said arrives in order; a server that does not answer
 * delays its own queue only. Everything is bounded: past a limit a post is dropped and counted, never waited for.
 *
 *   curl_loop_library_init();                        once, before any thread runs (helpers/curl_loop.h)
 *   struct poster *h = poster_new(actor);            NULL: no memory for libcurl
 *   actor_serve(actor, &poster_ops, h);            ... joined, then poster_free */
#pragma once

#include "msg/poster.h"
#include "runtime/actor.h"

#define POSTER_TARGETS_MAX         64u            /* URLs at a time; another one takes the place of one that has nothing to do */
#define POSTER_POSTS_OF_TARGET_MAX 256u           /* that wait */
#define POSTER_BYTES_MAX           (32u * 1024u * 1024u)      /* of all that wait */
#define POSTER_ANSWER_BYTES_MAX    65536u         /* read and thrown away; a longer one is cut off */

struct poster;

struct poster_counters {
    uint64_t posts;                 /* asked for */
    uint64_t sent;                  /* answered by anything that is HTTP */
    uint64_t failed;                /* no name, no connection, no answer, in time */
    uint64_t dropped;               /* at a limit */
    uint64_t refused;               /* no http(s) URL, or an address that is not public where it has to be */
};

struct poster *poster_new(struct actor *actor);
void poster_free(struct poster *poster);
const struct poster_counters *poster_counters(const struct poster *poster);     /* own thread only */

extern const struct actor_ops poster_ops;
