/* main - starts the actors, waits for signals, watches heartbeats, stops the actors in order (config-core.md 9).
 * Exit codes: 0 a clean stop; 1 whatever prevented the start; SIGABRT when an actor is stuck (runtime/watchdog.h). */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/metrics.h"
#include "boot.h"
#include "commit.h"
#include "commit_date.h"
#include "helpers/logger.h"
#include "msg/main.h"
#include "reload.h"
#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/memory_limit.h"
#include "runtime/process.h"
#include "runtime/watchdog.h"
#include "settings/budget.h"
#include "settings/settings.h"

#define TOKEN_SIGNALS 1u
#define STOP_IMPATIENT 3u           /* the third SIGINT or SIGTERM ends the process at once */
#define STOP_NAMES_US    SEC(1)     /* for a resolver that does not answer */
#define MEMORY_PERIOD_US SEC(1)
#define MEMORY_CLOSE_US  MSEC(50)   /* once half of it is used: strangers fill a gigabyte in seconds */
#define STOP_PATIENCE_US SEC(60)    /* longer than every actor's own bound: only a mistake of ours gets here */

struct process {
    struct settings settings;
    struct actors *set;
    struct actor *actor;
    struct actor *log_actor;
    struct logger *logger;
    struct boot *boot;
    struct watchdog watchdog;
    usec_t look_at;                 /* the watchdog's */
    usec_t memory_at;
    usec_t drain_until;             /* USEC_NEVER: not draining */
    usec_t stop_by;                 /* USEC_NEVER until the first signal */
    uint64_t started_s;             /* since 1970 */
    int argc;                       /* for SIGUSR2 */
    char **argv;
    unsigned stop_signals;
    int stop_signal;                /* the last one */
    int signals_fd;
    int daemon_fd;
    int pid_fd;
    bool memory_short;
    bool log_stopping;
    bool log_stopped;
};

/* The end without waiting for anybody: threads end with the process. */
static _Noreturn void leave(struct process *p, int code)
{
    process_pid_file_close(p->pid_fd, p->settings.pid_file);
    _exit(code);
}

/* ---- while it runs ---- */

static void begin_stop(struct process *p, usec_t now)
{
    LOG_INFO(p->actor, "stopping");
    p->drain_until = USEC_NEVER;
    p->stop_by = now + STOP_PATIENCE_US;
    p->stop_signals++;
    boot_stop(p->boot, p->stop_signal);
}

static bool is_draining(const struct process *p)
{
    return p->drain_until != USEC_NEVER;
}

/* The first SIGTERM lets sessions end by themselves, when the operator gives them time for it; the next, or SIGINT, ends the waiting. */
static void begin_drain(struct process *p, usec_t now)
{
    LOG_INFO(p->actor, "draining: stopping when the last session has ended, in %u s at the latest; once more to stop now", p->settings.drain_timeout_s);
    p->drain_until = usec_add(now, SEC(p->settings.drain_timeout_s));
    boot_drain(p->boot, p->settings.drain_timeout_s);
}

static void on_stop_signal(struct process *p, usec_t now, int signal_number)
{
    p->stop_signal = signal_number;
    if (p->stop_signals == 0 && signal_number == SIGTERM && p->settings.drain_timeout_s > 0 && !is_draining(p)) {
        begin_drain(p, now);
    } else if (p->stop_signals == 0) {
        begin_stop(p, now);
    } else {
        p->stop_signals++;
        if (p->stop_signals >= STOP_IMPATIENT)
            leave(p, 1);
        LOG_INFO(p->actor, "stopping already; once more to stop at once");
    }
}

static void on_signal(struct process *p, usec_t now, int signal_number)
{
    if (signal_number == SIGINT || signal_number == SIGTERM) {
        on_stop_signal(p, now, signal_number);
    } else if (signal_number == SIGUSR2) {
        if (p->stop_signals == 0)
            reload(p->actor, &p->settings, p->argc, p->argv);
    } else if (p->stop_signals == 0) {
        actor_send(p->actor, ACTOR_LOG, LOG_ROTATE, NULL, 0);
    }
}

static void on_ready(void *owner, usec_t now, uint64_t token, uint32_t events)
{
    struct process *p = owner;
    (void)events;
    if (token != TOKEN_SIGNALS)
        return;
    for (int signal_number; (signal_number = process_signals_read(p->signals_fd)) != 0;)
        on_signal(p, now, signal_number);
}

static void on_message(void *owner, usec_t now, const struct message *m)
{
    struct process *p = owner;
    if (m->type == MAIN_DRAINED && is_draining(p)) {
        LOG_INFO(p->actor, "no session is left");
        begin_stop(p, now);
    }
    if (m->type != ACTOR_STOPPED)
        return;
    if (m->from == ACTOR_LOG) {
        p->log_stopped = true;
        actor_stop(p->actor);
    } else if (boot_stopped(p->boot, m->from) && !p->log_stopping) {
        LOG_INFO(p->actor, "Bye!");
        p->log_stopping = true;
        actor_ask_stop(p->actor, ACTOR_LOG);
    } else if (boot_waits_for_names(p->boot)) {
        p->stop_by = usec_min(p->stop_by, now + STOP_NAMES_US);
    }
}

static bool is_serving(const struct process *p)
{
    return p->boot != NULL && p->stop_signals == 0;
}

/* Pools are sized so that this should not happen; texts, rooms and the allocator's loss are not in them. What is there goes on, new
 * sessions, handles and PeerConnections are refused until there is room again: the kernel would end all of it. */
static void look_at_memory(struct process *p, usec_t now)
{
    const uint64_t limit = boot_memory_limit(p->boot);
    uint64_t used = memory_used_bytes();
    if (p->memory_short || budget_is_short(false, used, limit)) {
        memory_trim();
        used = memory_used_bytes();
    }
    p->memory_at = now + (used > limit / 2 ? MEMORY_CLOSE_US : MEMORY_PERIOD_US);
    const bool is_short = budget_is_short(p->memory_short, used, limit);
    if (is_short == p->memory_short)
        return;
    p->memory_short = is_short;
    LOG_WARN(p->actor, "%llu MB of %llu MB of memory in use: new sessions and calls are %s", (unsigned long long)(used >> 20),
             (unsigned long long)(limit >> 20), is_short ? "refused" : "taken again");
    boot_tell_memory(p->boot, is_short);
}

static void look_at_actors(struct process *p, usec_t now)
{
    p->look_at = now + WATCHDOG_PERIOD_US;
    struct actor *stuck = watchdog_look(&p->watchdog, p->set, now);
    if (stuck != NULL)
        watchdog_abort(&p->watchdog, p->actor, stuck);
    if (!is_serving(p))
        return;
    const struct actor *slow = watchdog_slow(&p->watchdog, p->set);
    struct io_health health = {.alive = slow == NULL};
    if (slow != NULL)
        snprintf(health.stuck, sizeof(health.stuck), "%s", actor_name(slow));
    boot_tell_health(p->boot, &health);
}

static void on_turn(void *owner, usec_t now)
{
    struct process *p = owner;
    if (now >= p->stop_by) {
        if (boot_waits_for_names(p->boot))
            _exit(0);                   /* for a resolver nobody waits */
        fprintf(stderr, "cardea: not every actor has stopped in time\n");
        leave(p, 1);
    }
    if (now >= p->drain_until) {
        LOG_INFO(p->actor, "time is up for the sessions that are left");
        begin_stop(p, now);
    }
    if (is_serving(p) && now >= p->memory_at)
        look_at_memory(p, now);
    if (now >= p->look_at)
        look_at_actors(p, now);
}

static void measure(void *owner, usec_t now, struct metrics *out)
{
    const struct process *p = owner;
    const struct process_usage usage = process_usage();
    (void)now;
    metrics_add(out, METRIC_INFO, CARDEA_VERSION, CARDEA_COMMIT, 1);
    metrics_add(out, METRIC_PROCESS_MEMORY, NULL, NULL, memory_used_bytes());
    metrics_add(out, METRIC_MEMORY_LIMIT, NULL, NULL, p->boot == NULL ? 0 : boot_memory_limit(p->boot));
    metrics_add(out, METRIC_PROCESS_FDS, NULL, NULL, usage.descriptors);
    metrics_add(out, METRIC_PROCESS_FDS_MAX, NULL, NULL, usage.descriptors_max);
    metrics_add(out, METRIC_PROCESS_CPU, NULL, NULL, usage.cpu_us);
    metrics_add(out, METRIC_PROCESS_START, NULL, NULL, p->started_s);
    metrics_add(out, METRIC_LOG_LOST, NULL, NULL, log_dropped(p->set));
}

static usec_t deadline(void *owner)
{
    const struct process *p = owner;
    const usec_t memory_at = is_serving(p) ? p->memory_at : USEC_NEVER;
    return usec_min(usec_min(p->look_at, memory_at), usec_min(p->drain_until, p->stop_by));
}

static const struct actor_ops main_ops = {
    .on_message = on_message,
    .on_ready = on_ready,
    .on_turn = on_turn,
    .deadline = deadline,
    .measure = measure,
};

/* ---- start ---- */

static void say_notes(struct process *p)
{
    for (uint32_t i = 0; i < settings_note_count(&p->settings); i++) {
        int level;
        const char *text = settings_note_at(&p->settings, i, &level);
        LOG_AT(p->actor, (enum log_level)level, "%s", text);
    }
}

static bool open_log(struct process *p)
{
    const struct settings *s = &p->settings;
    const struct logger_options options = {
        .to_stdout = s->log_to_stdout && (!s->daemonize || s->log_to_stdout_forced),
        .file = s->log_to_file,
        .prefix = s->log_prefix,
        .timestamps = s->debug_timestamps,
        .colors = s->debug_colors,
    };
    p->logger = logger_new(p->log_actor, &options);
    if (p->logger == NULL) {
        fprintf(stderr, "can't open the log file %s: %s\n", s->log_to_file == NULL ? "" : s->log_to_file, strerror(errno));
        return false;
    }
    actor_serve(p->log_actor, &logger_ops, p->logger);
    log_set_level(p->set, (enum log_level)s->debug_level);
    return true;
}

static bool check_limits(struct process *p)
{
    uint64_t limit;
    process_allow_core_dumps();
    if (!process_check_descriptors(p->settings.openfiles_min, &limit)) {
        LOG_FATAL(p->actor, "%llu descriptors allowed, %lld are asked for (check_openfiles_limit)", (unsigned long long)limit,
                  (long long)p->settings.openfiles_min);
        return false;
    }
    if (p->settings.pid_file == NULL)
        return true;
    p->pid_fd = process_pid_file_open(p->settings.pid_file);
    if (p->pid_fd < 0)
        LOG_FATAL(p->actor, "can't lock the pid file %s: %s", p->settings.pid_file, strerror(errno));
    return p->pid_fd >= 0;
}

static bool start(struct process *p)
{
    if (!check_limits(p))
        return false;
    p->boot = boot_open(p->set, p->actor, &p->settings);
    return p->boot != NULL;
}

static bool open_process(struct process *p)
{
    /* Of SIGHUP and SIGUSR1 only the one that rotates the log is ours; the other ends the process (config-core.md 9). */
    const int signals[] = {SIGINT, SIGTERM, SIGUSR2, p->settings.log_rotate_signal, 0};
    p->signals_fd = process_signals_open(signals);
    p->set = actors_new();
    p->log_actor = actor_new(p->set, ACTOR_LOG, "log");        /* first: what the others log is kept until it runs */
    p->actor = actor_new(p->set, ACTOR_MAIN, "main");
    if (p->signals_fd < 0 || p->log_actor == NULL || p->actor == NULL) {
        fprintf(stderr, "can't start: %s\n", strerror(errno));
        return false;
    }
    actor_serve(p->actor, &main_ops, p);
    return open_log(p);
}

/* 0 when all that was asked to stop has stopped. */
static int run(struct process *p)
{
    bool started = start(p);
    actors_wire(p->set);
    if (!actor_start(p->log_actor)) {
        fprintf(stderr, "can't start a thread: %s\n", strerror(errno));
        return 1;
    }
    say_notes(p);
    if (started && !boot_start(p->boot)) {
        LOG_FATAL(p->actor, "can't start a thread: %s", strerror(errno));
        actor_ask_stop(p->actor, ACTOR_LOG);
        actor_flush(p->actor);
        actor_join(p->log_actor);
        process_daemon_ready(p->daemon_fd, 1);
        leave(p, 1);
    }
    process_daemon_ready(p->daemon_fd, started ? 0 : 1);
    if (started && !actor_watch(p->actor, p->signals_fd, EPOLLIN, TOKEN_SIGNALS))
        LOG_ERR(p->actor, "signals can't be watched: %s", strerror(errno));
    if (!started) {
        p->log_stopping = true;
        actor_ask_stop(p->actor, ACTOR_LOG);
    }
    actor_run(p->actor);
    actor_join(p->log_actor);
    return started ? 0 : 1;
}

static void close_process(struct process *p)
{
    boot_close(p->boot);
    if (p->logger != NULL)
        logger_free(p->logger);
    if (p->pid_fd >= 0)
        process_pid_file_close(p->pid_fd, p->settings.pid_file);
    if (p->set != NULL)
        actors_free(p->set);
    settings_fini(&p->settings);
}

int main(int argc, char **argv)
{
    struct process process = {.argc = argc, .argv = argv, .stop_by = USEC_NEVER, .drain_until = USEC_NEVER, .started_s = clock_wall_us() / 1000000u, .daemon_fd = -1, .pid_fd = -1, .signals_fd = -1};
    printf("Cardea version: %s (API of Janus 1401, 1.4.1)\nCommit: %s\nDate: %s\n", CARDEA_VERSION, CARDEA_COMMIT, CARDEA_COMMIT_DATE);
    fflush(stdout);
    enum settings_outcome outcome = settings_load(&process.settings, argc, argv);
    if (outcome != SETTINGS_RUN) {
        settings_fini(&process.settings);
        return outcome == SETTINGS_EXIT_DONE ? 0 : 1;
    }
    if (process.settings.daemonize) {
        process.daemon_fd = process_daemonize(process.settings.cwd_path, process.settings.log_to_stdout_forced);
        if (process.daemon_fd < 0) {
            fprintf(stderr, "can't become a daemon: %s\n", strerror(errno));
            return 1;
        }
    }
    int code = open_process(&process) ? run(&process) : 1;
    close_process(&process);
    return code;
}
