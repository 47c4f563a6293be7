/* usrsctp as a peer, in a process of its own: commands come on standard input, answers go to standard output (foreign.h).
 * Its clock is the caller's: it runs without threads, and reads the time by gettimeofday, which is supplied here. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <usrsctp.h>

#include "foreign_frames.h"

static uint64_t now_us = 1;
static struct socket *sock;

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    (void)tz;
    *tv = (struct timeval){.tv_sec = (time_t)(now_us / 1000000), .tv_usec = (suseconds_t)(now_us % 1000000)};
    return 0;
}

static void say(uint8_t type, const void *head, size_t head_size, const void *data, size_t size)
{
    const struct frame frame = {.size = (uint32_t)(head_size + size), .type = type};
    if (fwrite(&frame, sizeof(frame), 1, stdout) != 1 || (head_size > 0 && fwrite(head, head_size, 1, stdout) != 1) ||
        (size > 0 && fwrite(data, size, 1, stdout) != 1))
        exit(2);
}

static int on_output(void *addr, void *buffer, size_t length, uint8_t tos, uint8_t set_df)
{
    (void)addr, (void)tos, (void)set_df;
    say(FOREIGN_PACKET, NULL, 0, buffer, length);
    return 0;
}

static void on_notification(const union sctp_notification *note, size_t size)
{
    struct foreign_note out = {.type = note->sn_header.sn_type};
    if (size < note->sn_header.sn_length)
        return;
    if (out.type == SCTP_ASSOC_CHANGE) {
        out.what = note->sn_assoc_change.sac_state;
        out.streams_in = note->sn_assoc_change.sac_inbound_streams;
        out.streams_out = note->sn_assoc_change.sac_outbound_streams;
        out.kind = out.what == SCTP_COMM_UP ? FOREIGN_UP : out.what == SCTP_RESTART ? FOREIGN_RESTART : FOREIGN_DOWN;
        say(FOREIGN_NOTE, &out, sizeof(out), NULL, 0);
    } else if (out.type == SCTP_STREAM_RESET_EVENT) {
        const struct sctp_stream_reset_event *event = &note->sn_strreset_event;
        const size_t count = (event->strreset_length - sizeof(*event)) / 2;
        out.kind = (event->strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN) != 0 ? FOREIGN_RESET_IN : FOREIGN_RESET_OUT;
        out.what = event->strreset_flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED);
        for (size_t i = 0; i < count; i++) {
            out.stream = event->strreset_stream_list[i];
            say(FOREIGN_NOTE, &out, sizeof(out), NULL, 0);
        }
    } else if (out.type == SCTP_STREAM_CHANGE_EVENT) {
        out.kind = FOREIGN_STREAMS;
        out.streams_in = note->sn_strchange_event.strchange_instrms;
        out.streams_out = note->sn_strchange_event.strchange_outstrms;
        say(FOREIGN_NOTE, &out, sizeof(out), NULL, 0);
    }
}

static int on_receive(struct socket *s, union sctp_sockstore addr, void *data, size_t size, struct sctp_rcvinfo info, int flags,
                      void *ulp)
{
    (void)s, (void)addr, (void)ulp;
    if (data == NULL)
        return 1;
    if ((flags & MSG_NOTIFICATION) != 0) {
        on_notification(data, size);
    } else {
        const struct foreign_message out = {.stream = info.rcv_sid, .ppid = ntohl(info.rcv_ppid), .is_whole = (flags & MSG_EOR) != 0};
        say(FOREIGN_MESSAGE, &out, sizeof(out), data, size);
    }
    free(data);
    return 1;
}

static void set(int option, const void *value, socklen_t size)
{
    if (usrsctp_setsockopt(sock, IPPROTO_SCTP, option, value, size) != 0) {
        fprintf(stderr, "usrsctp: option %d: %s\n", option, strerror(errno));
        exit(2);
    }
}

static void start(const struct foreign_start *config)
{
    usrsctp_init_nothreads(0, on_output, NULL);
    usrsctp_sysctl_set_sctp_ecn_enable(0);
    usrsctp_sysctl_set_sctp_asconf_enable(0);
    usrsctp_sysctl_set_sctp_auth_enable(0);
    usrsctp_sysctl_set_sctp_nrsack_enable(0);
    usrsctp_sysctl_set_sctp_pktdrop_enable(0);
    usrsctp_sysctl_set_sctp_blackhole(2);
    usrsctp_register_address(&sock);
    sock = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, on_receive, NULL, 0, NULL);
    if (sock == NULL)
        exit(2);
    usrsctp_set_non_blocking(sock, 1);
    usrsctp_setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &config->buffer_bytes, sizeof(int));
    usrsctp_setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &config->window_bytes, sizeof(int));
    const int on = 1;
    set(SCTP_NODELAY, &on, sizeof(on));
    set(SCTP_ENABLE_STREAM_RESET,
        &(struct sctp_assoc_value){.assoc_id = SCTP_ALL_ASSOC, .assoc_value = SCTP_ENABLE_RESET_STREAM_REQ | SCTP_ENABLE_CHANGE_ASSOC_REQ},
        sizeof(struct sctp_assoc_value));
    const uint16_t events[] = {SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT, SCTP_STREAM_CHANGE_EVENT};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        const struct sctp_event event = {.se_assoc_id = SCTP_ALL_ASSOC, .se_type = events[i], .se_on = 1};
        set(SCTP_EVENT, &event, sizeof(event));
    }
    set(SCTP_INITMSG, &(struct sctp_initmsg){.sinit_num_ostreams = config->streams, .sinit_max_instreams = config->streams},
        sizeof(struct sctp_initmsg));
    const struct sctp_paddrparams path = {.spp_pathmtu = config->mtu, .spp_flags = SPP_PMTUD_DISABLE};
    struct sctp_paddrparams params = path;
    params.spp_address.ss_family = AF_CONN;
    set(SCTP_PEER_ADDR_PARAMS, &params, sizeof(params));
    struct sockaddr_conn local = {.sconn_family = AF_CONN, .sconn_port = htons(5000), .sconn_addr = &sock};
    if (usrsctp_bind(sock, (struct sockaddr *)&local, sizeof(local)) != 0)
        exit(2);
}

static void start_connect(void)
{
    struct sockaddr_conn remote = {.sconn_family = AF_CONN, .sconn_port = htons(5000), .sconn_addr = &sock};
    const int r = usrsctp_connect(sock, (struct sockaddr *)&remote, sizeof(remote));
    if (r != 0 && errno != EINPROGRESS)
        exit(2);
}

static void send_message(const struct foreign_send *head, const void *data, size_t size)
{
    struct sctp_sendv_spa spa = {.sendv_flags = SCTP_SEND_SNDINFO_VALID};
    spa.sendv_sndinfo = (struct sctp_sndinfo){.snd_sid = head->stream, .snd_ppid = htonl(head->ppid),
                                              .snd_flags = SCTP_EOR | (head->unordered ? SCTP_UNORDERED : 0)};
    if (head->policy != 0) {
        spa.sendv_flags |= SCTP_SEND_PRINFO_VALID;
        spa.sendv_prinfo.pr_policy = head->policy == 1 ? SCTP_PR_SCTP_RTX : SCTP_PR_SCTP_TTL;
        spa.sendv_prinfo.pr_value = head->limit;
    }
    const ssize_t n = usrsctp_sendv(sock, data, size, NULL, 0, &spa, sizeof(spa), SCTP_SENDV_SPA, 0);
    const uint8_t ok = n == (ssize_t)size;
    say(FOREIGN_RESULT, &ok, 1, NULL, 0);
}

static void reset_stream(uint16_t stream)
{
    const size_t size = sizeof(struct sctp_reset_streams) + sizeof(stream);
    struct sctp_reset_streams *reset = calloc(1, size);
    if (reset == NULL)
        exit(2);
    reset->srs_flags = SCTP_STREAM_RESET_OUTGOING;
    reset->srs_number_streams = 1;
    reset->srs_stream_list[0] = stream;
    const uint8_t ok = usrsctp_setsockopt(sock, IPPROTO_SCTP, SCTP_RESET_STREAMS, reset, (socklen_t)size) == 0;
    free(reset);
    say(FOREIGN_RESULT, &ok, 1, NULL, 0);
}

static void add_streams(uint16_t count)
{
    const struct sctp_add_streams add = {.sas_outstrms = count};
    const uint8_t ok = usrsctp_setsockopt(sock, IPPROTO_SCTP, SCTP_ADD_STREAMS, &add, sizeof(add)) == 0;
    say(FOREIGN_RESULT, &ok, 1, NULL, 0);
}

static void set_time(uint64_t us)
{
    if (us <= now_us)
        return;
    const uint64_t before_ms = now_us / 1000;
    now_us = us;
    if (before_ms > 0 && us / 1000 > before_ms)
        usrsctp_handle_timers((uint32_t)(us / 1000 - before_ms));
}

static bool run(const struct frame *frame, const uint8_t *body)
{
    switch (frame->type) {
    case FOREIGN_START:
        start((const void *)body);
        break;
    case FOREIGN_CONNECT:
        start_connect();
        break;
    case FOREIGN_PACKET:
        usrsctp_conninput(&sock, body, frame->size, 0);
        break;
    case FOREIGN_SEND:
        send_message((const void *)body, body + sizeof(struct foreign_send), frame->size - sizeof(struct foreign_send));
        break;
    case FOREIGN_RESET:
        reset_stream((uint16_t)(body[0] | body[1] << 8));
        break;
    case FOREIGN_ADD:
        add_streams((uint16_t)(body[0] | body[1] << 8));
        break;
    case FOREIGN_SHUTDOWN:
        usrsctp_shutdown(sock, SHUT_WR);
        break;
    case FOREIGN_TICK:
        break;
    default:
        return false;
    }
    return true;
}

int main(void)
{
    static uint8_t body[FOREIGN_FRAME_MAX];
    struct frame frame;
    while (fread(&frame, sizeof(frame), 1, stdin) == 1) {
        if (frame.size > sizeof(body) || (frame.size > 0 && fread(body, frame.size, 1, stdin) != 1))
            return 2;
        if (frame.now_us > 1 && now_us == 1)
            now_us = frame.now_us;
        set_time(frame.now_us);
        if (!run(&frame, body))
            return 2;
        say(FOREIGN_DONE, NULL, 0, NULL, 0);
        if (fflush(stdout) != 0)
            return 2;
    }
    return 0;
}
