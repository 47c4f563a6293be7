/* Per URL: IDLE -(a post)-> ASKING its name -(addresses)-> SENDING -(done)-> SENDING the next, or IDLE. Addresses are asked for
 * again after a minute, and after a failure. */
#include "helpers/poster.h"

#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/slots.h"
#include "base/str.h"
#include "helpers/curl_loop.h"
#include "runtime/log.h"

#define ADDRESSES_LAST_US  SEC(60)
#define POST_TIMEOUT_MS    10000L
#define CONNECT_TIMEOUT_MS 5000L

enum target_state { TARGET_IDLE, TARGET_ASKING, TARGET_SENDING };

struct post {
    struct list node;
    struct poster_post *message;          /* the block that came */
};

struct target {
    struct list node;                   /* in poster.targets, most recently used first */
    struct ref name;
    char *url;
    struct curl_place place;
    bool public_only;
    bool failing;                       /* said in the log */
    enum target_state state;
    struct list posts;                  /* the first one is being sent in SENDING */
    uint32_t post_count;
    struct net_addr addrs[DNS_ANSWERS_MAX];
    uint32_t addr_count;
    usec_t asked_at;
    CURL *easy;
    struct curl_slist *connect_to;
    size_t answer_bytes;
};

struct poster {
    struct actor *actor;
    struct curl_loop loop;
    struct curl_slist *headers;
    struct list targets;
    struct slots names;                 /* of targets: what DNS answers come back to */
    size_t bytes;                       /* of all posts that wait */
    usec_t now;
    struct poster_counters counters;
};

static void start(struct poster *poster, struct target *target);

/* ---- libcurl's side ---- */

static size_t ignore_answer(char *data, size_t size, size_t count, void *owner)
{
    struct target *target = owner;
    (void)data;
    target->answer_bytes += size * count;
    return target->answer_bytes > POSTER_ANSWER_BYTES_MAX ? 0 : size * count;
}

static bool watch(void *owner, int fd, uint32_t events)
{
    struct poster *poster = owner;
    return actor_watch(poster->actor, fd, events, (uint64_t)fd);
}

static void unwatch(void *owner, int fd)
{
    struct poster *poster = owner;
    actor_unwatch(poster->actor, fd);
}

static const struct curl_loop_ops loop_ops = {.watch = watch, .unwatch = unwatch};

static bool make_easy(struct poster *poster, struct target *target)
{
    CURL *easy = target->easy = curl_loop_post_new(target->url, poster->headers, POST_TIMEOUT_MS, CONNECT_TIMEOUT_MS);
    return easy != NULL && curl_easy_setopt(easy, CURLOPT_PRIVATE, target) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore_answer) == CURLE_OK && curl_easy_setopt(easy, CURLOPT_WRITEDATA, target) == CURLE_OK;
}

/* ---- posts ---- */

static struct post *first_post(struct target *target)
{
    return CONTAINER_OF(target->posts.next, struct post, node);
}

static void drop_post(struct poster *poster, struct target *target, struct post *post)
{
    list_del(&post->node);
    target->post_count--;
    poster->bytes -= post->message->body_size;
    mem_put(post->message);
    mem_put(post);
}

/* One line when it begins and one when it ends: a server that is down must not fill the log. */
static void say_failed(struct poster *poster, struct target *target, const char *why)
{
    if (!target->failing)
        LOG_WARN(poster->actor, "Posting to %s fails: %s", target->place.shown, why);
    target->failing = true;
}

static void fail_all(struct poster *poster, struct target *target, uint64_t *counter, const char *why)
{
    say_failed(poster, target, why);
    while (target->post_count > 0) {
        drop_post(poster, target, first_post(target));
        (*counter)++;
    }
    target->addr_count = 0;
    target->state = TARGET_IDLE;
}

static void send_first(struct poster *poster, struct target *target)
{
    const struct poster_post *m = first_post(target)->message;
    target->state = TARGET_SENDING;
    target->answer_bytes = 0;
    if ((target->easy == NULL && !make_easy(poster, target)) ||
        !curl_loop_aim(target->easy, &target->addrs[0], target->place.port, &target->connect_to) ||
        curl_easy_setopt(target->easy, CURLOPT_POSTFIELDS, m->text + m->url_size) != CURLE_OK ||
        curl_easy_setopt(target->easy, CURLOPT_POSTFIELDSIZE, (long)m->body_size) != CURLE_OK ||
        !curl_loop_add(&poster->loop, poster->now, target->easy))
        fail_all(poster, target, &poster->counters.failed, "libcurl refuses");
}

/* Nothing has been sent: the same post goes to the next address of the name. */
static bool try_next_address(struct poster *poster, struct target *target)
{
    if (target->addr_count < 2)
        return false;
    memmove(&target->addrs[0], &target->addrs[1], --target->addr_count * sizeof(target->addrs[0]));
    send_first(poster, target);
    return true;
}

static void finish(struct poster *poster, struct target *target, CURLcode result)
{
    /* What was cut off (CURLE_WRITE_ERROR) is an answer all the same. */
    const bool sent = result == CURLE_OK || result == CURLE_WRITE_ERROR;
    if (result == CURLE_COULDNT_CONNECT && try_next_address(poster, target))
        return;
    drop_post(poster, target, first_post(target));
    poster->counters.sent += sent;
    poster->counters.failed += !sent;
    if (!sent) {
        say_failed(poster, target, curl_easy_strerror(result));
        target->addr_count = 0;         /* it may have moved */
    } else if (target->failing) {
        LOG_INFO(poster->actor, "Posting to %s works again", target->place.shown);
        target->failing = false;
    }
    target->state = TARGET_IDLE;
    if (target->post_count > 0)
        start(poster, target);
}

static void finish_done(struct poster *poster)
{
    CURLcode result;
    for (CURL *easy; (easy = curl_loop_done(&poster->loop, &result)) != NULL;) {
        char *target = NULL;
        if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &target) == CURLE_OK && target != NULL)
            finish(poster, (struct target *)(void *)target, result);
    }
}

/* ---- addresses ---- */

static void take_addresses(struct poster *poster, struct target *target, const struct dns_answer *answer)
{
    uint32_t refused = 0;
    target->addr_count = 0;
    for (uint32_t i = 0; i < answer->count && i < DNS_ANSWERS_MAX; i++) {
        if (target->public_only && !net_ip_is_public(&answer->addrs[i]))
            refused++;
        else
            target->addrs[target->addr_count++] = answer->addrs[i];
    }
    target->asked_at = poster->now;
    if (target->addr_count > 0)
        send_first(poster, target);
    else if (refused > 0)
        fail_all(poster, target, &poster->counters.refused, "its address is not public");
    else
        fail_all(poster, target, &poster->counters.failed, answer->error);
}

static void start(struct poster *poster, struct target *target)
{
    struct dns_answer here = {.count = 1};
    if (target->addr_count > 0 && poster->now < target->asked_at + ADDRESSES_LAST_US) {
        send_first(poster, target);
    } else if (net_ip_parse(&here.addrs[0], str_of(target->place.host))) {
        take_addresses(poster, target, &here);
    } else {
        struct dns_ask ask = {.answer = POSTER_ADDRESSES, .port = target->place.port};
        if (!str_copy(ask.name, sizeof(ask.name), str_of(target->place.host))) {
            fail_all(poster, target, &poster->counters.refused, "no name");
            return;
        }
        target->state = TARGET_ASKING;
        actor_send_op(poster->actor, ACTOR_DNS, DNS_ASK, target->name, &ask, sizeof(ask));
    }
}

/* ---- targets ---- */

static void free_target(struct poster *poster, struct target *target)
{
    while (target->post_count > 0)
        drop_post(poster, target, first_post(target));
    if (target->easy != NULL) {
        curl_loop_del(&poster->loop, target->easy);
        curl_easy_cleanup(target->easy);
    }
    curl_slist_free_all(target->connect_to);
    list_del(&target->node);
    if (!ref_is_none(target->name))
        slots_del(&poster->names, target->name);
    mem_put(target->url);
    curl_place_free(&target->place);
    mem_put(target);
}

static char *copy_text(struct view text)
{
    char *copy = mem_get(text.size + 1);
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

static struct target *new_target(struct poster *poster, struct view url, bool public_only)
{
    if (poster->names.count == POSTER_TARGETS_MAX) {
        struct target *oldest = NULL;
        LIST_EACH(it, &poster->targets)
            if (CONTAINER_OF(it, struct target, node)->state == TARGET_IDLE)
                oldest = CONTAINER_OF(it, struct target, node);
        if (oldest == NULL) {
            poster->counters.dropped++;
            return NULL;
        }
        free_target(poster, oldest);
    }
    struct target *target = mem_get_zero(sizeof(*target));
    list_init(&target->posts);
    list_init(&target->node);
    target->public_only = public_only;
    target->url = copy_text(url);
    if (strlen(target->url) != url.size || !curl_place_read(&target->place, target->url)) {
        poster->counters.refused++;
        free_target(poster, target);
        return NULL;
    }
    list_add_head(&poster->targets, &target->node);
    target->name = slots_add(&poster->names, target);
    return target;
}

static struct target *find_target(struct poster *poster, struct view url, bool public_only)
{
    LIST_EACH(it, &poster->targets) {
        struct target *target = CONTAINER_OF(it, struct target, node);
        if (target->public_only == public_only && str_equal(str_of(target->url), url)) {
            list_del(it);
            list_add_head(&poster->targets, it);
            return target;
        }
    }
    return new_target(poster, url, public_only);
}

/* ---- messages and turns ---- */

static void on_post(struct poster *poster, const struct message *m)
{
    const struct poster_post *head = m->payload;
    CHECK(m->size == sizeof(*head) + head->url_size + head->body_size);
    poster->counters.posts++;
    struct target *target = find_target(poster, VIEW(head->text, head->url_size), head->public_only);
    if (target == NULL)
        return;
    if (target->post_count == POSTER_POSTS_OF_TARGET_MAX || poster->bytes + head->body_size > POSTER_BYTES_MAX) {
        poster->counters.dropped++;
        say_failed(poster, target, "more is said than it takes; the rest is dropped");
        return;
    }
    struct post *post = mem_get_zero(sizeof(*post));
    post->message = message_take(m);
    list_add_tail(&target->posts, &post->node);
    target->post_count++;
    poster->bytes += post->message->body_size;
    if (target->state == TARGET_IDLE)
        start(poster, target);
}

static void on_message(void *owner, usec_t now, const struct message *m)
{
    struct poster *poster = owner;
    poster->now = now;
    if (m->type == POSTER_POST) {
        on_post(poster, m);
    } else if (m->type == POSTER_ADDRESSES) {
        struct target *target = slots_get(&poster->names, m->op);
        CHECK(m->size == sizeof(struct dns_answer));
        if (target != NULL && target->state == TARGET_ASKING)
            take_addresses(poster, target, m->payload);
    }
}

static void on_ready(void *owner, usec_t now, uint64_t token, uint32_t events)
{
    struct poster *poster = owner;
    poster->now = now;
    curl_loop_ready(&poster->loop, now, (int)token, events);
    finish_done(poster);
}

static void on_turn(void *owner, usec_t now)
{
    struct poster *poster = owner;
    poster->now = now;
    curl_loop_turn(&poster->loop, now);
    finish_done(poster);
}

static usec_t deadline(void *owner)
{
    const struct poster *poster = owner;
    return poster->loop.at;
}

static const char *type_name(uint16_t type)
{
    static const char *const names[] = {
        [POSTER_NONE] = "NONE",
#define X(name, from, payload) [POSTER_##name] = #name,
        POSTER_MESSAGES(X)
#undef X
    };
    return type < ARRAY_COUNT(names) ? names[type] : "?";
}

const struct actor_ops poster_ops = {
    .on_message = on_message,
    .on_ready = on_ready,
    .on_turn = on_turn,
    .deadline = deadline,
    .type_name = type_name,
};

/* ---- life ---- */

static bool add_header(struct poster *poster, const char *line)
{
    struct curl_slist *more = curl_slist_append(poster->headers, line);
    poster->headers = more == NULL ? poster->headers : more;
    return more != NULL;
}

struct poster *poster_new(struct actor *actor)
{
    struct poster *poster = mem_get_zero(sizeof(*poster));
    poster->actor = actor;
    list_init(&poster->targets);
    slots_init(&poster->names, POSTER_TARGETS_MAX);
    /* `Expect:` without a value: a body is sent at once, whatever its size. */
    /* `Expect:` without a value: a body is sent at once, whatever its size. */
    if (curl_loop_open(&poster->loop, &loop_ops, poster, POSTER_TARGETS_MAX) && add_header(poster, "Accept: application/json") &&
        add_header(poster, "Content-Type: application/json") && add_header(poster, "charsets: utf-8") && add_header(poster, "Expect:"))
        return poster;
    poster_free(poster);
    return NULL;
}

void poster_free(struct poster *poster)
{
    curl_loop_leave(&poster->loop);
    LIST_EACH(it, &poster->targets)
        free_target(poster, CONTAINER_OF(it, struct target, node));
    slots_fini(&poster->names);
    curl_loop_close(&poster->loop);
    curl_slist_free_all(poster->headers);
    mem_put(poster);
}

const struct poster_counters *poster_counters(const struct poster *poster)
{
    return &poster->counters;
}
