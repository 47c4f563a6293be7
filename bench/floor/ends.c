/* The two ends of the floor: who publishes, and who reads what arrives. A process each, so that their time is theirs. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "bench/floor/private.h"

#define BUFFER_BYTES (8 << 20)
#define STAMP_BYTES  4u             /* the counter; the filling follows from it */

/* ---- content ---- */

static void fill(uint8_t *payload, size_t size, uint32_t counter)
{
    put_u32(payload, counter);
    for (size_t i = STAMP_BYTES; i < size; i++)
        payload[i] = (uint8_t)(counter * 7u + i * 13u);
}

static bool is_filled(const uint8_t *payload, size_t size, uint32_t counter)
{
    uint8_t differs = 0;
    for (size_t i = STAMP_BYTES; i < size; i++)
        differs |= payload[i] ^ (uint8_t)(counter * 7u + i * 13u);
    return differs == 0;
}

/* ---- the publisher ---- */

bool floor_publish(struct floor *floor)
{
    static uint8_t bytes[FLOOR_BURST_MAX][FLOOR_STRIDE];
    struct mmsghdr headers[FLOOR_BURST_MAX];
    struct iovec parts[FLOOR_BURST_MAX];
    struct seal_job jobs[FLOOR_BURST_MAX];
    const struct floor_options *options = floor->options;
    for (uint32_t i = 0; i < options->burst; i++) {
        const uint32_t counter = floor->counter++;
        const struct rtp_header header = {
            .marker = i + 1 == options->burst, .pt = 96, .seq = (uint16_t)counter, .ts = counter / options->burst * 3000u, .ssrc = FLOOR_SSRC - 1u};
        rtp_write_header(bytes[i], RTP_HEADER_SIZE, &header);
        fill(bytes[i] + RTP_HEADER_SIZE, options->size - RTP_HEADER_SIZE, counter);
        jobs[i] = (struct seal_job){
            .keys = floor->publisher, .index = counter, .packet = bytes[i], .header_size = RTP_HEADER_SIZE, .size = (uint16_t)options->size};
    }
    seal_protect(floor->seal, jobs, options->burst);
    for (uint32_t i = 0; i < options->burst; i++) {
        parts[i] = (struct iovec){jobs[i].packet, jobs[i].size};
        headers[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
    }
    return sendmmsg(floor->publish_fd, headers, options->burst, 0) == (int)options->burst;
}

static void step(struct timespec *at, long ns)
{
    at->tv_nsec += ns;
    while (at->tv_nsec >= 1000000000) {
        at->tv_nsec -= 1000000000;
        at->tv_sec++;
    }
}

static void publish_for_ever(struct floor *floor)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    for (;;) {
        step(&at, 1000000000 / (long)floor->options->bursts_per_s);
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
            ;
        if (!floor_publish(floor))
            _exit(1);
    }
}

/* 0 in the child, which dies with its parent. */
static int start(void)
{
    const int pid = fork();
    if (pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

bool floor_start_publisher(struct floor *floor)
{
    const int pid = start();
    if (pid == 0)
        publish_for_ever(floor);
    floor->publisher_pid = pid > 0 ? pid : 0;
    return pid > 0 || floor_fail(floor, "fork");
}

/* ---- the reader ---- */

struct ear {
    int fd;
    struct seal_rx_stream stream;
    uint32_t next;
    bool heard;
};

static void look(struct floor *floor, struct ear *ear, uint32_t number, uint8_t *packet, size_t size)
{
    struct seal_job job = {.keys = floor->receivers[number].keys, .packet = packet, .header_size = RTP_HEADER_SIZE, .size = (uint16_t)size};
    struct floor_counts *counts = floor->counts;
    if (size < FLOOR_SIZE_MIN || get_u32(packet + 8) != FLOOR_SSRC + number || !seal_rx_guess(&ear->stream, get_u16(packet + 2), &job.index)) {
        counts->wrong++;
        return;
    }
    seal_open(floor->seal, &job, 1);
    const uint8_t *payload = packet + RTP_HEADER_SIZE;
    const uint32_t counter = get_u32(payload);
    const bool late = ear->heard && (int32_t)(counter - ear->next) < 0;
    if (!job.ok || job.size != floor->options->size || !seal_rx_commit(&ear->stream, job.index) ||
        !is_filled(payload, job.size - RTP_HEADER_SIZE, counter) || late) {
        counts->wrong++;
        return;
    }
    counts->lost += ear->heard ? counter - ear->next : 0;
    counts->verified++;
    ear->heard = true;
    ear->next = counter + 1;
}

static bool listen_all(const struct floor *floor, struct ear *ears, int poll_fd)
{
    const int bytes = BUFFER_BYTES;
    for (uint32_t i = 0; i < floor->options->receivers; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        ears[i] = (struct ear){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), .stream = {.ssrc = FLOOR_SSRC + i}};
        if (ears[i].fd < 0 || bind(ears[i].fd, (const struct sockaddr *)&floor->receivers[i].to, sizeof(floor->receivers[i].to)) != 0 ||
            epoll_ctl(poll_fd, EPOLL_CTL_ADD, ears[i].fd, &event) != 0)
            return false;
        (void)setsockopt(ears[i].fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
    }
    return true;
}

static _Noreturn void read_for_ever(struct floor *floor, int ready)
{
    static uint8_t bytes[FLOOR_BURST_MAX][FLOOR_STRIDE + 64];
    struct ear *ears = mem_get_zero(floor->options->receivers * sizeof(*ears));
    struct mmsghdr headers[FLOOR_BURST_MAX];
    struct iovec parts[FLOOR_BURST_MAX];
    struct epoll_event events[64];
    const int poll_fd = epoll_create1(0);
    for (uint32_t i = 0; i < FLOOR_BURST_MAX; i++) {
        parts[i] = (struct iovec){bytes[i], FLOOR_STRIDE};
        headers[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
    }
    if (poll_fd < 0 || !listen_all(floor, ears, poll_fd) || write(ready, "r", 1) != 1)
        _exit(1);
    close(ready);
    for (;;) {
        const int some = epoll_wait(poll_fd, events, 64, -1);
        for (int e = 0; e < some; e++) {
            const uint32_t number = events[e].data.u32;
            for (int got; (got = recvmmsg(ears[number].fd, headers, FLOOR_BURST_MAX, 0, NULL)) > 0;)
                for (int i = 0; i < got; i++)
                    look(floor, &ears[number], number, bytes[i], headers[i].msg_len);
        }
    }
}

bool floor_start_reader(struct floor *floor)
{
    int ends[2];
    char byte;
    if (pipe(ends) != 0)
        return floor_fail(floor, "pipe");
    const int pid = start();
    if (pid == 0)
        read_for_ever(floor, ends[1]);
    close(ends[1]);
    floor->reader_pid = pid > 0 ? pid : 0;
    const bool listens = pid > 0 && read(ends[0], &byte, 1) == 1;
    close(ends[0]);
    return listens || floor_fail(floor, "the reader does not listen (is a port from 20000 on taken, or the limit of descriptors low?)");
}

static void stop(int *pid)
{
    if (*pid == 0)
        return;
    (void)kill(*pid, SIGKILL);
    while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *pid = 0;
}

void floor_stop_ends(struct floor *floor)
{
    stop(&floor->publisher_pid);
    stop(&floor->reader_pid);
}
