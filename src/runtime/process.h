/* runtime/process.h - what a server does to its own process at start: signals, limits, pid file, daemon mode
 * (config-core.md 3, 9). Main thread only, before any other thread runs. */
#pragma once

#include "base/err.h"
#include "base/types.h"

uint32_t process_cores(void);                   /* those we may run on; at least 1 */
void process_allow_core_dumps(void);
/* The soft limit of descriptors, and false when it is below `at_least`. */
bool process_check_descriptors(int64_t at_least, uint64_t *limit);

/* What it uses at the moment. Reads files: main only. */
struct process_usage {
    uint64_t descriptors, descriptors_max;
    uint64_t cpu_us;                            /* of all threads */
};
struct process_usage process_usage(void);

/* Blocks the signals (0-terminated list) for this thread and those it will start, and gives a descriptor to read them from; -1:
 * errno. SIGPIPE is ignored. */
int process_signals_open(const int *signals);
int process_signals_read(int fd);               /* the next one, or 0 */

/* Creates, locks and writes it; the returned descriptor holds the lock. -1: errno (EAGAIN: another process has the lock). */
int process_pid_file_open(const char *path);
void process_pid_file_close(int fd, const char *path);

/* Daemon mode: the parent waits for the child's start-up code and exits with it. In the child: the descriptor for
 * process_daemon_ready, which also is -1 when there is no daemon mode. -1 and errno: no pipe or no fork. */
int process_daemonize(const char *folder, bool keep_stdio);
void process_daemon_ready(int fd, int exit_code);
