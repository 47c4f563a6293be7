/* helpers/curl_loop.h - libcurl's multi interface on an actor's loop: it never blocks, its sockets are watched by whoever owns the loop,
 * and it is given addresses, never names (Debian's libcurl would start a thread for each). Owner: one actor.
 *
 *   curl_loop_library_init();                       once, before any thread runs
 *   curl_loop_open(&loop, &ops, owner, connects)
 *   ... curl_loop_add(&loop, now, easy); on_ready -> curl_loop_ready; on_turn -> curl_loop_turn; loop.at is a deadline;
 *   after each of the three: while ((easy = curl_loop_done(&loop, &result)) != NULL) ...
 *   curl_loop_leave(&loop) when the thread is gone; curl_loop_close(&loop), when every handle has been taken out (curl_loop_del) and cleaned up */
#pragma once

#include <curl/curl.h>

#include "base/buf.h"
#include "base/net.h"

struct curl_loop_ops {
    bool (*watch)(void *owner, int fd, uint32_t events);        /* EPOLLIN, EPOLLOUT; again: changes them */
    void (*unwatch)(void *owner, int fd);
};

struct curl_loop {
    CURLM *multi;
    const struct curl_loop_ops *ops;
    void *owner;
    usec_t now;
    usec_t at;                          /* when libcurl wants to be called; USEC_NEVER */
};

void curl_loop_library_init(void);
bool curl_loop_open(struct curl_loop *loop, const struct curl_loop_ops *ops, void *owner, uint32_t connects);     /* false: no memory for libcurl */
/* The actor's thread is gone, and its watches with it: nothing is watched any more. */
void curl_loop_leave(struct curl_loop *loop);
void curl_loop_close(struct curl_loop *loop);

bool curl_loop_add(struct curl_loop *loop, usec_t now, CURL *easy);
void curl_loop_del(struct curl_loop *loop, CURL *easy);
void curl_loop_ready(struct curl_loop *loop, usec_t now, int fd, uint32_t events);
void curl_loop_turn(struct curl_loop *loop, usec_t now);
/* The next handle that is done, taken out of the loop; NULL: none. */
CURL *curl_loop_done(struct curl_loop *loop, CURLcode *result);

/* A handle for posts as all of ours are: HTTP/1.1 to http or https only, no proxy, no signals. */
CURL *curl_loop_post_new(const char *url, struct curl_slist *headers, long timeout_ms, long connect_timeout_ms);
/* The address stands in the place of the URL's name, so there is nothing to resolve; a certificate is checked against the name all
 * the same. *line is the caller's to free (curl_slist_free_all) after the handle. */
bool curl_loop_aim(CURL *easy, const struct net_addr *addr, uint16_t port, struct curl_slist **line);

/* What a URL of http or https says. False: it is none. */
struct curl_place {
    char *shown;                        /* "https://host:port": for the log, without what may be secret */
    char *host;                         /* as the resolver wants it */
    uint16_t port;
};
bool curl_place_read(struct curl_place *place, const char *url);
void curl_place_free(struct curl_place *place);
