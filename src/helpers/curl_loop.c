#include "helpers/curl_loop.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"

void curl_loop_library_init(void)
{
    CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

/* ---- libcurl's side ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *owner, void *socket_owner)
{
    struct curl_loop *loop = owner;
    (void)easy;
    (void)socket_owner;
    if (what == CURL_POLL_REMOVE) {
        loop->ops->unwatch(loop->owner, fd);
        return 0;
    }
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    return loop->ops->watch(loop->owner, fd, events) ? 0 : -1;
}

static int on_timer(CURLM *multi, long timeout_ms, void *owner)
{
    struct curl_loop *loop = owner;
    (void)multi;
    loop->at = timeout_ms < 0 ? USEC_NEVER : loop->now + MSEC(timeout_ms);
    return 0;
}

bool curl_loop_open(struct curl_loop *loop, const struct curl_loop_ops *ops, void *owner, uint32_t connects)
{
    *loop = (struct curl_loop){.multi = curl_multi_init(), .ops = ops, .owner = owner, .at = USEC_NEVER};
    return loop->multi != NULL && curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
           curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop) == CURLM_OK &&
           curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
           curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop) == CURLM_OK &&
           curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, (long)connects) == CURLM_OK;
}

void curl_loop_leave(struct curl_loop *loop)
{
    if (loop->multi != NULL)
        curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, NULL);
}

void curl_loop_close(struct curl_loop *loop)
{
    if (loop->multi != NULL)
        curl_multi_cleanup(loop->multi);
    loop->multi = NULL;
}

/* ---- the owner's side ---- */

bool curl_loop_add(struct curl_loop *loop, usec_t now, CURL *easy)
{
    loop->now = now;
    return curl_multi_add_handle(loop->multi, easy) == CURLM_OK;
}

void curl_loop_del(struct curl_loop *loop, CURL *easy)
{
    curl_multi_remove_handle(loop->multi, easy);
}

void curl_loop_ready(struct curl_loop *loop, usec_t now, int fd, uint32_t events)
{
    int running, what = (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                        (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    loop->now = now;
    curl_multi_socket_action(loop->multi, fd, what, &running);
}

void curl_loop_turn(struct curl_loop *loop, usec_t now)
{
    int running;
    loop->now = now;
    if (now < loop->at)
        return;
    loop->at = USEC_NEVER;
    curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

CURL *curl_loop_done(struct curl_loop *loop, CURLcode *result)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(loop->multi, &left)) != NULL;) {
        if (m->msg != CURLMSG_DONE)
            continue;
        CURL *easy = m->easy_handle;
        *result = m->data.result;
        curl_multi_remove_handle(loop->multi, easy);
        return easy;
    }
    return NULL;
}

/* ---- handles ---- */

CURL *curl_loop_post_new(const char *url, struct curl_slist *headers, long timeout_ms, long connect_timeout_ms)
{
    CURL *easy = curl_easy_init();
    if (easy != NULL && curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK && curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK && curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK)
        return easy;
    curl_easy_cleanup(easy);
    return NULL;
}

bool curl_loop_aim(CURL *easy, const struct net_addr *addr, uint16_t port, struct curl_slist **line)
{
    char ip[NET_IP_TEXT], text[NET_IP_TEXT + 16];
    snprintf(text, sizeof(text), addr->family == NET_IP6 ? "::[%s]:%u" : "::%s:%u", net_ip_text(addr, ip), port);
    curl_slist_free_all(*line);
    *line = curl_slist_append(NULL, text);
    return *line != NULL && curl_easy_setopt(easy, CURLOPT_CONNECT_TO, *line) == CURLE_OK;
}

/* ---- URLs ---- */

static char *copy_text(struct view text)
{
    char *copy = mem_get(text.size + 1);
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

bool curl_place_read(struct curl_place *place, const char *text)
{
    CURLU *url = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL;
    *place = (struct curl_place){0};
    bool fine = url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK && curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK && str_u16(str_of(port), &place->port) &&
                scheme != NULL && host != NULL && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    if (fine) {
        struct view name = str_of(host);
        const size_t room = strlen(scheme) + name.size + 16;
        place->shown = mem_get(room);
        snprintf(place->shown, room, "%s://%s:%u", scheme, host, place->port);
        if (name.size > 2 && name.data[0] == '[')       /* "[::1]" */
            name = VIEW(name.data + 1, name.size - 2);
        place->host = copy_text(name);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    return fine;
}

void curl_place_free(struct curl_place *place)
{
    mem_put(place->shown);
    mem_put(place->host);
    *place = (struct curl_place){0};
}
