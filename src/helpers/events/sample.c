/* One payload at a time: IDLE -(something waits)-> ASKING for the name -(addresses)-> SENDING -(an answer)-> IDLE
 *                                                                      '-(none)-> WAITING 2^k back-offs -> ASKING ... -> lost */
#include "helpers/events/sample.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "helpers/curl_loop.h"
#include "helpers/events/gzip.h"

#define POST_TIMEOUT_MS     10000L
#define CONNECT_TIMEOUT_MS  5000L
#define ADDRESSES_LAST_US   SEC(60)
#define RETRIES_DEFAULT     5
#define BACKOFF_DEFAULT_MS  100
#define BACKOFF_MAX_US      SEC(3600)       /* 2^k grows beyond any patience */
#define ANSWER_BYTES_MAX    65536u          /* read and thrown away; a longer one is cut off */

enum sample_state { SAMPLE_IDLE, SAMPLE_ASKING, SAMPLE_SENDING, SAMPLE_WAITING };

struct sample {
    struct evhost *host;
    struct curl_loop loop;
    char *backend;
    char *user, *password;                  /* NULL: not given */
    struct curl_place place;
    int64_t retries_max;
    int64_t backoff_ms;
    bool compress;
    int compression;

    enum sample_state state;
    struct evpayload payload;
    struct buf packed;                      /* gzip */
    int64_t retries;                        /* of this payload */
    usec_t retry_at;                        /* WAITING */
    struct net_addr addrs[DNS_ANSWERS_MAX];
    uint32_t addr_count;
    usec_t addrs_until;
    uint32_t question;                      /* the newest: an older answer is of an older backend */
    CURL *easy;
    struct curl_slist *headers, *packed_headers, *aim;
    size_t answer_bytes;
    bool failing;                           /* said in the log */
};

static char *copy_text(const char *text)
{
    return text == NULL ? NULL : memcpy(mem_get(strlen(text) + 1), text, strlen(text) + 1);
}

static bool set_backend(struct sample *s, const char *backend)
{
    struct curl_place place;
    if (strncmp(backend, "http", 4) != 0 || !curl_place_read(&place, backend)) {
        return false;
    }
    curl_place_free(&s->place);
    s->place = place;
    mem_put(s->backend);
    s->backend = copy_text(backend);
    s->addr_count = 0;
    return true;
}

/* ---- sending ---- */

static size_t ignore_answer(char *data, size_t size, size_t count, void *owner)
{
    struct sample *s = owner;
    (void)data;
    s->answer_bytes += size * count;
    return s->answer_bytes > ANSWER_BYTES_MAX ? 0 : size * count;
}

static bool watch(void *owner, int fd, uint32_t events)
{
    struct sample *s = owner;
    return evhost_watch(s->host, fd, events);
}

static void unwatch(void *owner, int fd)
{
    struct sample *s = owner;
    evhost_unwatch(s->host, fd);
}

static const struct curl_loop_ops loop_ops = {.watch = watch, .unwatch = unwatch};

static void free_easy(struct sample *s)
{
    if (s->easy == NULL)
        return;
    curl_loop_del(&s->loop, s->easy);
    curl_easy_cleanup(s->easy);
    s->easy = NULL;
}

/* One line when it begins and one when it ends: a server that is down must not fill the log. */
static void say(struct sample *s, const char *why)
{
    if (why != NULL && !s->failing)
        LOG_WARN(evhost_actor(s->host), "Events can't be posted to %s: %s", s->place.shown, why);
    if (why == NULL && s->failing)
        LOG_INFO(evhost_actor(s->host), "Events are posted to %s again", s->place.shown);
    s->failing = why != NULL;
}

static void retry(struct sample *s, usec_t now, const char *why)
{
    say(s, why);
    free_easy(s);
    s->addr_count = 0;                      /* it may have moved */
    if (s->retries >= s->retries_max) {
        evhost_lost(s->host, &s->payload);
        s->state = SAMPLE_IDLE;
        return;
    }
    usec_t wait = MSEC(s->backoff_ms);
    for (int64_t k = 0; k < s->retries && wait < BACKOFF_MAX_US; k++)
        wait *= 2;
    s->retries++;
    evhost_retried(s->host);
    s->retry_at = now + usec_min(wait, BACKOFF_MAX_US);
    s->state = SAMPLE_WAITING;
}

static bool make_easy(struct sample *s, struct view body)
{
    CURL *easy = s->easy = curl_loop_post_new(s->backend, s->compress ? s->packed_headers : s->headers, POST_TIMEOUT_MS, CONNECT_TIMEOUT_MS);
    if (easy == NULL || curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore_answer) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, s) != CURLE_OK || curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)body.size) != CURLE_OK)
        return false;
    return s->user == NULL || s->password == NULL ||
           (curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK && curl_easy_setopt(easy, CURLOPT_USERNAME, s->user) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_PASSWORD, s->password) == CURLE_OK);
}

static bool pack(struct sample *s)
{
    buf_clear(&s->packed);
    return gzip_pack(&s->packed, buf_view(&s->payload.text), s->compression);
}

static void post(struct sample *s, usec_t now)
{
    if (s->compress && !pack(s)) {
        evhost_lost(s->host, &s->payload);
        s->state = SAMPLE_IDLE;
        return;
    }
    s->state = SAMPLE_SENDING;
    s->answer_bytes = 0;
    if (!make_easy(s, buf_view(s->compress ? &s->packed : &s->payload.text)) ||
        !curl_loop_aim(s->easy, &s->addrs[0], s->place.port, &s->aim) || !curl_loop_add(&s->loop, now, s->easy))
        retry(s, now, "libcurl refuses");
}

static void ask(struct sample *s, usec_t now)
{
    if (s->addr_count > 0 && now < s->addrs_until) {
        post(s, now);
        return;
    }
    s->state = SAMPLE_ASKING;
    if (!evhost_resolve(s->host, str_of(s->place.host), s->place.port, NET_NONE, ++s->question))
        retry(s, now, "no name");
}

static void on_addresses(void *handler, usec_t now, uint32_t tag, const struct dns_answer *answer)
{
    struct sample *s = handler;
    if (s->state != SAMPLE_ASKING || tag != s->question)
        return;
    if (answer->count == 0) {
        retry(s, now, answer->error);
        return;
    }
    s->addr_count = answer->count;
    memcpy(s->addrs, answer->addrs, answer->count * sizeof(s->addrs[0]));
    s->addrs_until = now + ADDRESSES_LAST_US;
    post(s, now);
}

/* Whatever the status is, and cut off or not: it has been delivered. */
static void take_result(struct sample *s, usec_t now, CURLcode result)
{
    if (result == CURLE_COULDNT_CONNECT && s->addr_count > 1) {        /* nothing has been sent: the next address of the name */
        memmove(&s->addrs[0], &s->addrs[1], --s->addr_count * sizeof(s->addrs[0]));
        free_easy(s);
        post(s, now);
        return;
    }
    if (result != CURLE_OK && result != CURLE_WRITE_ERROR) {
        retry(s, now, curl_easy_strerror(result));
        return;
    }
    say(s, NULL);
    free_easy(s);
    evhost_sent(s->host, &s->payload);
    s->state = SAMPLE_IDLE;
}

static void take_results(struct sample *s, usec_t now)
{
    CURLcode result;
    while (curl_loop_done(&s->loop, &result) != NULL)
        take_result(s, now, result);
}

/* ---- turns ---- */

static void on_ready(void *handler, usec_t now, int fd, uint32_t events)
{
    struct sample *s = handler;
    curl_loop_ready(&s->loop, now, fd, events);
    take_results(s, now);
}

static void turn(void *handler, usec_t now)
{
    struct sample *s = handler;
    curl_loop_turn(&s->loop, now);
    take_results(s, now);
    if (s->state == SAMPLE_WAITING && now >= s->retry_at)
        ask(s, now);
    if (s->state == SAMPLE_IDLE && evhost_next(s->host, &s->payload)) {
        s->retries = 0;
        ask(s, now);
    }
}

static usec_t deadline(const void *handler)
{
    const struct sample *s = handler;
    const bool more = s->state == SAMPLE_IDLE && evhost_waiting(s->host) > 0;
    return usec_min(s->loop.at, more ? 0 : s->state == SAMPLE_WAITING ? s->retry_at : USEC_NEVER);
}

static bool finish(void *handler, usec_t now)
{
    const struct sample *s = handler;
    (void)now;
    return s->state == SAMPLE_IDLE || s->state == SAMPLE_WAITING;
}

/* ---- life and tweaks ---- */

static bool add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *more = curl_slist_append(*list, line);
    *list = more == NULL ? *list : more;
    return more != NULL;
}

static void close_sample(void *handler)
{
    struct sample *s = handler;
    curl_loop_leave(&s->loop);
    free_easy(s);
    curl_loop_close(&s->loop);
    curl_slist_free_all(s->headers);
    curl_slist_free_all(s->packed_headers);
    curl_slist_free_all(s->aim);
    curl_place_free(&s->place);
    evpayload_fini(&s->payload);
    buf_fini(&s->packed);
    mem_put(s->backend);
    mem_put(s->user);
    mem_put(s->password);
    mem_put(s);
}

/* `Expect:` without a value: a body is sent at once, whatever its size. */
static bool make_headers(struct sample *s)
{
    return add_header(&s->headers, "Content-Type: application/json") && add_header(&s->headers, "Expect:") &&
           add_header(&s->packed_headers, "Content-Type: application/json") && add_header(&s->packed_headers, "Expect:") &&
           add_header(&s->packed_headers, "Content-Encoding: gzip");
}

static void set_compression(struct sample *s, int64_t level)
{
    if (level >= 0 && level <= 9)
        s->compression = (int)level;
}

static void *open_sample(struct evhost *host, const struct conf_node *general)
{
    struct sample *s = mem_get_zero(sizeof(*s));
    s->host = host;
    evpayload_init(&s->payload);
    buf_init(&s->packed, GZIP_BYTES_MAX);
    const char *backend = conf_text(general, "backend", "");
    const bool fine = set_backend(s, backend);
    if (!fine || !curl_loop_open(&s->loop, &loop_ops, s, 4) || !make_headers(s)) {
        LOG_ERR(evhost_actor(host), fine ? "janus.eventhandler.sampleevh: libcurl can't be used"
                                         : "janus.eventhandler.sampleevh: the backend must be a URL of http or https");
        close_sample(s);
        return NULL;
    }
    s->user = copy_text(conf_text_given(general, "backend_user"));
    s->password = copy_text(conf_text_given(general, "backend_pwd"));
    s->compress = conf_bool(general, "compress", false);
    s->compression = GZIP_LEVEL_DEFAULT;
    if (s->compress)
        set_compression(s, conf_int(general, "compression", GZIP_LEVEL_DEFAULT));
    s->retries_max = conf_int(general, "max_retransmissions", RETRIES_DEFAULT);
    if (s->retries_max < 0)
        s->retries_max = RETRIES_DEFAULT;
    s->backoff_ms = conf_int(general, "retransmissions_backoff", BACKOFF_DEFAULT_MS);
    if (s->backoff_ms <= 0)
        s->backoff_ms = BACKOFF_DEFAULT_MS;
    return s;
}

static const struct evfield fields[] = {
    {"backend", EVFIELD_STRING},
    {"backend_user", EVFIELD_STRING},
    {"backend_pwd", EVFIELD_STRING},
    {"max_retransmissions", EVFIELD_POSITIVE},
    {"retransmissions_backoff", EVFIELD_POSITIVE},
};

static void change_text(const json_t *request, const char *name, char **text)
{
    const json_t *value = json_object_get(request, name);
    if (value == NULL)
        return;
    mem_put(*text);
    *text = copy_text(json_string_value(value));
}

static void change_number(const json_t *request, const char *name, int64_t *number)
{
    const json_t *value = json_object_get(request, name);
    if (value != NULL)
        *number = json_integer_value(value);
}

static bool tweak(void *handler, const json_t *request, char reason[EVHANDLER_REASON_ROOM])
{
    struct sample *s = handler;
    const char *backend = json_string_value(json_object_get(request, "backend"));
    if (backend != NULL && !set_backend(s, backend)) {
        snprintf(reason, EVHANDLER_REASON_ROOM, "Invalid HTTP URI '%.200s'", backend);
        return false;
    }
    change_text(request, "backend_user", &s->user);
    change_text(request, "backend_pwd", &s->password);
    change_number(request, "max_retransmissions", &s->retries_max);
    change_number(request, "retransmissions_backoff", &s->backoff_ms);
    const json_t *compress = json_object_get(request, "compress"), *compression = json_object_get(request, "compression");
    if (compress != NULL)
        s->compress = json_is_true(compress);
    if (json_is_integer(compression))
        set_compression(s, json_integer_value(compression));
    return true;
}

const struct evhandler_desc evhandler_sample = {
    .package = "janus.eventhandler.sampleevh",
    .file_name = "libjanus_sampleevh.so",
    .name = "Cardea HTTP event handler",
    .description = "Posts events to a web server",
    .author = "The Cardea project",
    .version_string = "0.0.1",
    .version = 1,
    .groups = true,
    .open = open_sample,
    .close = close_sample,
    .on_ready = on_ready,
    .on_addresses = on_addresses,
    .turn = turn,
    .deadline = deadline,
    .finish = finish,
    .fields = fields,
    .field_count = ARRAY_COUNT(fields),
    .tweak = tweak,
};
