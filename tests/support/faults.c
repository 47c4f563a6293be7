#include "support/faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum call { SOCKET, ACCEPT4, BIND, EVENTFD, EPOLL_CREATE1, EPOLL_CTL, OPEN, PIPE2, PTHREAD_CREATE, CALL_COUNT };

static const char *const names[CALL_COUNT] = {"socket", "accept4", "bind", "eventfd", "epoll_create1", "epoll_ctl", "open", "pipe2",
    "pthread_create"};

static struct {
    _Atomic long left;          /* calls until the one that fails; 0: none will */
    _Atomic int error;
    _Atomic bool all_later;
} faults[CALL_COUNT];

void fault_set(const char *call, unsigned n, int error, bool all_later)
{
    for (int i = 0; i < CALL_COUNT; i++) {
        if (strcmp(names[i], call) != 0)
            continue;
        faults[i].error = error;
        faults[i].all_later = all_later;
        faults[i].left = n;
        return;
    }
    fprintf(stderr, "faults: no such call: %s\n", call);
    abort();
}

static int error_of(const char *name)
{
    static const struct {
        const char *name;
        int error;
    } known[] = {{"EMFILE", EMFILE}, {"ENFILE", ENFILE}, {"ENOMEM", ENOMEM}, {"EACCES", EACCES}, {"EADDRINUSE", EADDRINUSE},
        {"EAGAIN", EAGAIN}, {"ENOBUFS", ENOBUFS}, {"ECONNABORTED", ECONNABORTED}, {"EPERM", EPERM}, {"ENOSPC", ENOSPC}, {"STALL", FAULT_STALL}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].error;
    fprintf(stderr, "faults: no such error: %s\n", name);
    abort();
}

__attribute__((constructor)) static void read_environment(void)
{
    const char *all = getenv("FAULTS");
    char call[32], plus[2], error[32];
    unsigned n;
    int used;
    for (const char *at = all; at != NULL && *at != '\0'; at += used + (at[used] == ',')) {
        plus[0] = '\0';
        used = 0;
        if (sscanf(at, "%31[^:]:%u%1[+]:%31[^,]%n", call, &n, plus, error, &used) != 4)
            if (sscanf(at, "%31[^:]:%u:%31[^,]%n", call, &n, error, &used) != 3) {
                fprintf(stderr, "faults: FAULTS holds call:n:errno, not %s\n", at);
                abort();
            }
        fault_set(call, n, error_of(error), plus[0] == '+');
    }
}

/* True, as a failing call says it; unless it shall not end at all. */
static bool fail_with(int error)
{
    while (error == FAULT_STALL)
        sleep(1);
    errno = error;
    return true;
}

static bool fails(enum call call)
{
    for (;;) {
        long left = faults[call].left;
        if (left == 0)
            return false;
        bool now = left == 1;
        if (now && faults[call].all_later)
            return fail_with(faults[call].error);
        if (!atomic_compare_exchange_strong(&faults[call].left, &left, left - 1))
            continue;
        return now && fail_with(faults[call].error);
    }
}

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL)
        abort();
    return function;
}

#define REAL(type, name) ((type)(uintptr_t)real(name))

int socket(int domain, int type, int protocol)
{
    return fails(SOCKET) ? -1 : REAL(int (*)(int, int, int), "socket")(domain, type, protocol);
}

int accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags)
{
    return fails(ACCEPT4) ? -1 : REAL(int (*)(int, struct sockaddr *, socklen_t *, int), "accept4")(fd, addr, size, flags);
}

int bind(int fd, const struct sockaddr *addr, socklen_t size)
{
    return fails(BIND) ? -1 : REAL(int (*)(int, const struct sockaddr *, socklen_t), "bind")(fd, addr, size);
}

int eventfd(unsigned int count, int flags)
{
    return fails(EVENTFD) ? -1 : REAL(int (*)(unsigned int, int), "eventfd")(count, flags);
}

int epoll_create1(int flags)
{
    return fails(EPOLL_CREATE1) ? -1 : REAL(int (*)(int), "epoll_create1")(flags);
}

int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    return fails(EPOLL_CTL) ? -1 : REAL(int (*)(int, int, int, struct epoll_event *), "epoll_ctl")(epoll, op, fd, event);
}

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    return fails(OPEN) ? -1 : REAL(int (*)(const char *, int, ...), "open")(path, flags, mode);
}

int pipe2(int fds[2], int flags)
{
    return fails(PIPE2) ? -1 : REAL(int (*)(int *, int), "pipe2")(fds, flags);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
    if (fails(PTHREAD_CREATE))
        return errno;
    return REAL(int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *), "pthread_create")(thread, attr, start, arg);
}
