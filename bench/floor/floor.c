/* The forwarder. A turn takes one burst, opens it as one batch, and then, 64 packets at a time: copies and rewrites, seals over
 * all keys at once, and hands the lot to one sendmmsg, a receiver's packets being one UDP_SEGMENT message. */
#include "bench/floor/floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "bench/floor/private.h"

#define BUFFER_BYTES (64 << 20)
#define WARM_MSEC    200u
#define WAIT_MSEC    50

bool floor_fail(struct floor *floor, const char *what)
{
    snprintf(floor->result->error, sizeof(floor->result->error), "%s: %s", what, strerror(errno));
    return false;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* ---- what stands before the first packet ---- */

static struct seal_keys *make_keys(struct floor *floor, uint32_t number)
{
    struct seal_master master = {.profile = floor->options->profile};
    for (uint32_t i = 0; i < sizeof(master.key); i++)
        master.key[i] = (uint8_t)(number * 7u + i);
    put_u32(master.salt, number);
    return seal_keys_new(floor->seal, &master);
}

static bool make_receivers(struct floor *floor)
{
    const struct floor_options *options = floor->options;
    struct in_addr ip;
    if (inet_pton(AF_INET, options->to == NULL ? "127.0.0.1" : options->to, &ip) != 1)
        return floor_fail(floor, "not an IPv4 address");
    floor->seal = seal_shared_new(SEAL_BACKEND_AUTO, options->receivers + 1);
    floor->publisher = make_keys(floor, FLOOR_RECEIVERS_MAX);
    floor->heard.ssrc = FLOOR_SSRC - 1u;
    for (uint32_t i = 0; i < options->receivers; i++) {
        floor->receivers[i] = (struct floor_receiver){
            .keys = make_keys(floor, i),
            .to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(FLOOR_PORT + i)), .sin_addr = ip},
        };
        if (floor->receivers[i].keys == NULL)
            return floor_fail(floor, "no such profile");
    }
    return true;
}

static bool open_sockets(struct floor *floor)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(here);
    const int bytes = BUFFER_BYTES;
    floor->in_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    floor->publish_fd = socket(AF_INET, SOCK_DGRAM, 0);
    floor->out_fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(floor->in_fd, (struct sockaddr *)&here, sizeof(here)) != 0 || getsockname(floor->in_fd, (struct sockaddr *)&here, &size) != 0 ||
        connect(floor->publish_fd, (struct sockaddr *)&here, sizeof(here)) != 0)
        return floor_fail(floor, "sockets");
    (void)setsockopt(floor->in_fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
    (void)setsockopt(floor->out_fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
    return true;
}

/* ---- a turn ---- */

static void rewrite(uint8_t *out, const struct floor *floor, uint32_t number, const struct seal_job *in)
{
    memcpy(out, in->packet, in->size);
    put_u16(out + 2, (uint16_t)floor->receivers[number].index);
    put_u32(out + 4, get_u32(out + 4) + number * 1000u);
    put_u32(out + 8, FLOOR_SSRC + number);
}

static bool send_all(struct floor *floor, struct mmsghdr *headers, uint32_t count)
{
    for (uint32_t done = 0; done < count;) {
        const int sent = sendmmsg(floor->out_fd, headers + done, count - done, 0);
        if (sent <= 0)
            return floor_fail(floor, "sendmmsg");
        done += (uint32_t)sent;
    }
    return true;
}

/* A receiver's packets lie end to end where the tag fills the room behind a packet: then they are one part of its message. */
static bool send_chunk(struct floor *floor, uint32_t first, uint32_t receivers, const struct seal_job *jobs, uint32_t burst)
{
    struct mmsghdr headers[FLOOR_CHUNK];
    struct iovec parts[FLOOR_CHUNK];
    _Alignas(struct cmsghdr) uint8_t control[FLOOR_CHUNK][CMSG_SPACE(sizeof(uint16_t))];
    const uint32_t run = floor->options->no_gso ? 1 : burst;
    const bool end_to_end = jobs[0].size == floor->options->size + SEAL_ROOM;
    uint32_t count = 0;
    for (uint32_t k = 0; k < receivers * burst; k += run, count++) {
        struct msghdr *header = &headers[count].msg_hdr;
        *header = (struct msghdr){.msg_name = &floor->receivers[first + k / burst].to, .msg_namelen = sizeof(struct sockaddr_in), .msg_iov = &parts[k]};
        header->msg_iovlen = end_to_end ? 1 : run;
        parts[k] = (struct iovec){jobs[k].packet, end_to_end ? (size_t)jobs[k].size * run : jobs[k].size};
        for (uint32_t i = 1; i < header->msg_iovlen; i++)
            parts[k + i] = (struct iovec){jobs[k + i].packet, jobs[k + i].size};
        if (run == 1)
            continue;
        header->msg_control = control[count];
        header->msg_controllen = sizeof(control[count]);
        struct cmsghdr *c = CMSG_FIRSTHDR(header);
        *c = (struct cmsghdr){.cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof(uint16_t))};
        memcpy(CMSG_DATA(c), &jobs[k].size, sizeof(uint16_t));
    }
    floor->packets += receivers * burst;
    return send_all(floor, headers, count);
}

static bool forward(struct floor *floor, const struct seal_job *in, uint32_t burst)
{
    struct seal_job jobs[FLOOR_CHUNK];
    const uint32_t at_once = FLOOR_CHUNK / burst, all = floor->options->receivers, stride = floor->options->size + SEAL_ROOM;
    for (uint32_t first = 0; first < all; first += at_once) {
        const uint32_t receivers = all - first < at_once ? all - first : at_once;
        uint32_t k = 0;
        for (uint32_t i = 0; i < receivers; i++)
            for (uint32_t b = 0; b < burst; b++, k++) {
                struct floor_receiver *to = &floor->receivers[first + i];
                uint8_t *out = floor->arena + (size_t)k * stride;
                rewrite(out, floor, first + i, &in[b]);
                jobs[k] = (struct seal_job){.keys = to->keys, .index = to->index++, .packet = out, .header_size = RTP_HEADER_SIZE, .size = in[b].size};
            }
        seal_protect(floor->seal, jobs, k);
        if (!send_chunk(floor, first, receivers, jobs, burst))
            return false;
    }
    return true;
}

/* One burst. 0: nothing was there; -1: failed. */
static int turn(struct floor *floor)
{
    static uint8_t bytes[FLOOR_BURST_MAX][FLOOR_STRIDE];
    struct mmsghdr headers[FLOOR_BURST_MAX];
    struct iovec parts[FLOOR_BURST_MAX];
    struct seal_job jobs[FLOOR_BURST_MAX];
    for (uint32_t i = 0; i < floor->options->burst; i++) {
        parts[i] = (struct iovec){bytes[i], FLOOR_STRIDE};
        headers[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
    }
    const int count = recvmmsg(floor->in_fd, headers, floor->options->burst, 0, NULL);
    if (count <= 0)
        return 0;
    for (int i = 0; i < count; i++) {
        jobs[i] = (struct seal_job){.keys = floor->publisher, .packet = bytes[i], .header_size = RTP_HEADER_SIZE, .size = (uint16_t)headers[i].msg_len};
        (void)seal_rx_guess(&floor->heard, get_u16(bytes[i] + 2), &jobs[i].index);
    }
    seal_open(floor->seal, jobs, (size_t)count);
    for (int i = 0; i < count; i++)
        if (!jobs[i].ok || !seal_rx_commit(&floor->heard, jobs[i].index))
            return -1;
    return forward(floor, jobs, (uint32_t)count) ? count : -1;
}

/* ---- measuring ---- */

static bool run_flat_out(struct floor *floor, uint32_t msec, uint64_t *cpu)
{
    const uint64_t end = clock_ns(CLOCK_MONOTONIC) + msec * 1000000ull;
    *cpu = 0;
    while (clock_ns(CLOCK_MONOTONIC) < end) {
        if (!floor_publish(floor))
            return floor_fail(floor, "publishing");
        const uint64_t began = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        if (turn(floor) <= 0)
            return floor->result->error[0] == '\0' ? floor_fail(floor, "a burst did not come through") : false;
        *cpu += clock_ns(CLOCK_THREAD_CPUTIME_ID) - began;
    }
    return true;
}

static bool run_paced(struct floor *floor, int poll_fd, uint32_t msec, uint64_t *cpu)
{
    const uint64_t began = clock_ns(CLOCK_THREAD_CPUTIME_ID), end = clock_ns(CLOCK_MONOTONIC) + msec * 1000000ull;
    struct epoll_event event;
    while (clock_ns(CLOCK_MONOTONIC) < end) {
        int got = epoll_wait(poll_fd, &event, 1, WAIT_MSEC);
        while (got > 0 && (got = turn(floor)) > 0)
            ;
        if (got < 0 && errno != EINTR)
            return false;
    }
    *cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID) - began;
    return true;
}

static bool measure(struct floor *floor, int poll_fd)
{
    const struct floor_options *options = floor->options;
    struct epoll_event event = {.events = EPOLLIN};
    uint64_t cpu;
    bool fine;
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, floor->in_fd, &event) != 0)
        return floor_fail(floor, "epoll");
    if (options->bursts_per_s > 0 && !floor_start_publisher(floor))
        return false;
    fine = options->bursts_per_s > 0 ? run_paced(floor, poll_fd, WARM_MSEC, &cpu) : run_flat_out(floor, WARM_MSEC, &cpu);
    floor->packets = 0;
    if (fine)
        fine = options->bursts_per_s > 0 ? run_paced(floor, poll_fd, options->msec, &cpu) : run_flat_out(floor, options->msec, &cpu);
    if (!fine || floor->packets == 0)
        return floor->result->error[0] == '\0' ? floor_fail(floor, "nothing was forwarded") : false;
    floor->result->packets = floor->packets;
    floor->result->ns_per_packet = (double)cpu / (double)floor->packets;
    return true;
}

static bool run(struct floor *floor)
{
    if (!make_receivers(floor) || !open_sockets(floor) || (floor->options->to == NULL && !floor_start_reader(floor)))
        return false;
    const int poll_fd = epoll_create1(0);
    bool fine = measure(floor, poll_fd);
    usleep(WAIT_MSEC * 1000);                   /* for the reader: what is under way */
    floor_stop_ends(floor);
    close(poll_fd);
    return fine;
}

static bool has_sense(const struct floor_options *o)
{
    return o->receivers > 0 && o->receivers <= FLOOR_RECEIVERS_MAX && o->burst > 0 && o->burst <= FLOOR_BURST_MAX && o->size >= FLOOR_SIZE_MIN &&
           o->size <= FLOOR_SIZE_MAX && o->msec > 0;
}

bool floor_run(const struct floor_options *options, struct floor_result *result)
{
    *result = (struct floor_result){0};
    if (!has_sense(options)) {
        snprintf(result->error, sizeof(result->error), "out of range");
        return false;
    }
    struct floor_counts *counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct floor *floor = mem_get_zero(sizeof(*floor));
    *floor = (struct floor){.options = options, .result = result, .counts = counts, .in_fd = -1, .out_fd = -1, .publish_fd = -1};
    bool fine = counts != MAP_FAILED && run(floor);
    if (fine) {
        result->verified = counts->verified;
        result->wrong = counts->wrong;
        result->lost = counts->lost;
    }
    floor_stop_ends(floor);
    for (uint32_t i = 0; i < options->receivers; i++)
        seal_keys_free(floor->receivers[i].keys);
    seal_keys_free(floor->publisher);
    seal_shared_free(floor->seal);
    close(floor->in_fd);
    close(floor->out_fd);
    close(floor->publish_fd);
    if (counts != MAP_FAILED)
        munmap(counts, sizeof(*counts));
    mem_put(floor);
    return fine;
}
