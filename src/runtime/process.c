#include "runtime/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

uint32_t process_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? (uint32_t)count : 1;
}

void process_allow_core_dumps(void)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_CORE, &limit) == 0 || getrlimit(RLIMIT_CORE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_CORE, &limit);
}

bool process_check_descriptors(int64_t at_least, uint64_t *limit)
{
    struct rlimit now = {0, 0};
    (void)getrlimit(RLIMIT_NOFILE, &now);
    *limit = now.rlim_cur;
    return at_least <= 0 || now.rlim_cur >= (uint64_t)at_least;
}

static uint64_t count_descriptors(void)
{
    uint64_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count < 3 ? 0 : count - 3;           /* ".", "..", and the one for looking */
}

struct process_usage process_usage(void)
{
    struct rusage usage = {0};
    struct process_usage out = {.descriptors = count_descriptors()};
    (void)process_check_descriptors(0, &out.descriptors_max);
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        out.cpu_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u + (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    return out;
}

/* ---- signals */

int process_signals_open(const int *signals)
{
    sigset_t set;
    sigemptyset(&set);
    for (; *signals != 0; signals++)
        sigaddset(&set, *signals);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (sigaction(SIGPIPE, &ignore, NULL) != 0 || sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int process_signals_read(int fd)
{
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

/* ---- pid file */

int process_pid_file_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return -1;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};      /* the descriptor's: a process's would end with any close */
    char text[24];
    int size = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0 || ftruncate(fd, 0) != 0 || write(fd, text, (size_t)size) != size) {
        int saved = errno == EACCES ? EAGAIN : errno;       /* POSIX allows both for a lock that is taken */
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

void process_pid_file_close(int fd, const char *path)
{
    if (fd < 0)
        return;
    (void)unlink(path);
    close(fd);
}

/* ---- daemon mode */

/* A child that dies without a word has failed. */
static _Noreturn void wait_for_child(int fd)
{
    uint8_t code = 1;
    ssize_t got;
    do
        got = read(fd, &code, 1);
    while (got < 0 && errno == EINTR);
    _exit(got == 1 ? code : 1);
}

static bool detach_stdio(void)
{
    int null = open("/dev/null", O_RDWR);
    if (null < 0)
        return false;
    bool fine = dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0;
    if (null > STDERR_FILENO)
        close(null);
    return fine;
}

int process_daemonize(const char *folder, bool keep_stdio)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    fflush(NULL);
    pid_t child = fork();
    if (child > 0) {
        close(ends[1]);
        wait_for_child(ends[0]);
    }
    close(ends[0]);
    if (child < 0) {
        close(ends[1]);
        return -1;
    }
    if (setsid() < 0 || chdir(folder != NULL ? folder : "/") != 0 || (!keep_stdio && !detach_stdio())) {
        process_daemon_ready(ends[1], 1);
        _exit(1);
    }
    return ends[1];
}

void process_daemon_ready(int fd, int exit_code)
{
    if (fd < 0)
        return;
    uint8_t code = (uint8_t)exit_code;
    ssize_t written;
    do
        written = write(fd, &code, 1);
    while (written < 0 && errno == EINTR);
    close(fd);
}
