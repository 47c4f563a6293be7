#include "load/load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "runtime/clock.h"
#include "runtime/entropy.h"

#define KEEPALIVE_US SEC(20)        /* sessions end after 60 s of silence (janus-api.md 8) */
#define CALM_US      MSEC(500)

static void connect_more(struct load *load);

bool load_fail(struct load *load, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(load->error, sizeof(load->error), format, args);
    va_end(args);
    return false;
}

bool load_init(struct load *load, const struct options *options)
{
    *load = (struct load){.options = options, .report = {.command = options->command}};
    rng_init(&load->rng, entropy_fill, NULL);
    if (!loop_init(&load->loop))
        return load_fail(load, "no descriptor: %s", strerror(errno));
    conn_set_init(&load->conns, &load->loop, &load->rng);
    return true;
}

static void close_user(struct user *user, usec_t now)
{
    if (!user->used)
        return;
    loop_set(&user->load->loop, &user->keepalive, USEC_NEVER);
    conn_close(&user->conn);
    janus_fini(&user->janus, now);
}

void load_fini(struct load *load)
{
    for (uint32_t i = 0; i < load->user_count; i++)
        close_user(&load->users[i], load->loop.now);
    mem_put(load->users);
    conn_set_fini(&load->conns);
    loop_fini(&load->loop);
}

/* ---- connections ---- */

static void send_text(void *owner, struct view text)
{
    struct user *user = owner;
    conn_send(&user->conn, text);
}

static void become_ready(struct user *user)
{
    user->load->ready++;
    connect_more(user->load);
}

static void on_keepalive(struct loop_timer *timer, usec_t now)
{
    struct user *user = CONTAINER_OF(timer, struct user, keepalive);
    janus_plain(&user->janus, "keepalive", user->session, 0, NULL, NULL);
    loop_set(&user->load->loop, timer, now + KEEPALIVE_US);
}

static void on_created(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct user *user = owner;
    if (reply == NULL || reply->id == 0)
        return;                     /* the connection has gone: on_closed counts it */
    user->session = reply->id;
    loop_set(&user->load->loop, &user->keepalive, now + KEEPALIVE_US);
    become_ready(user);
}

static void on_open(struct conn *conn, usec_t now)
{
    struct user *user = CONTAINER_OF(conn, struct user, conn);
    (void)now;
    user->open = true;
    if (user->load->wants_session)
        janus_create(&user->janus, on_created, user);
    else
        become_ready(user);
}

static void on_text(struct conn *conn, usec_t now, struct view text)
{
    struct user *user = CONTAINER_OF(conn, struct user, conn);
    janus_input(&user->janus, now, text);
}

static void on_closed(struct conn *conn, usec_t now)
{
    struct user *user = CONTAINER_OF(conn, struct user, conn);
    user->open = false;
    user->load->lost++;
    loop_set(&user->load->loop, &user->keepalive, USEC_NEVER);
    janus_lost(&user->janus, now);
}

static const struct conn_ops conn_ops = {.on_open = on_open, .on_text = on_text, .on_closed = on_closed};

static void connect_more(struct load *load)
{
    while (load->opened < load->user_count && load->opened < load->ready + load->lost + load->options->parallel) {
        struct user *user = &load->users[load->opened++];
        user->load = load;
        user->keepalive.on_due = on_keepalive;
        if (!conn_open(&user->conn, &load->conns, &load->options->server, "janus-protocol", &conn_ops)) {
            load->lost++;
            continue;
        }
        janus_init(&user->janus, &load->rng, send_text, user);
        user->used = true;
    }
}

static bool all_connected(const void *context)
{
    const struct load *load = context;
    return load->ready + load->lost >= load->user_count;
}

bool load_connect(struct load *load, uint32_t count, bool sessions)
{
    load->users = mem_resize(load->users, count * sizeof(*load->users));
    memset(load->users, 0, count * sizeof(*load->users));
    load->user_count = count;
    load->wants_session = sessions;
    connect_more(load);
    if (!load_wait(load, all_connected, load, &load->ready) || load->lost > 0)
        return load_fail(load, "%u of %u connections came to be (%s)", load->ready, count, load->lost > 0 ? "the others were refused" : "time is up");
    return true;
}

bool load_wait(struct load *load, bool (*is_done)(const void *context), const void *context, const uint32_t *progress)
{
    for (;;) {
        const uint32_t before = *progress;
        if (loop_until(&load->loop, is_done, context, clock_now() + PATIENCE_US))
            return true;
        if (*progress == before)
            return false;
    }
}

/* ---- samples ---- */

void load_sample(struct load *load, struct proc_sample *out)
{
    loop_run(&load->loop, clock_now() + CALM_US);
    proc_sample(out, load->options->pid);
}

void load_report_constants(struct load *load, const struct proc_sample *one, const struct proc_sample *all)
{
    if (load->options->pid == 0)
        return;
    report_add(&load->report, "threads_at_1", one->threads, "", 0);
    report_add(&load->report, "threads", all->threads, "", 0);
    report_add(&load->report, "udp_sockets_at_1", one->udp_sockets, "", 0);
    report_add(&load->report, "udp_sockets", all->udp_sockets, "", 0);
    report_add(&load->report, "descriptors_at_1", one->descriptors, "", 0);
    report_add(&load->report, "descriptors", all->descriptors, "", 0);
    report_add(&load->report, "rss_at_1", (double)one->rss_bytes / 1e6, "MB", 1);
    report_add(&load->report, "rss", (double)all->rss_bytes / 1e6, "MB", 1);
}
