#include "foreign.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "foreign_frames.h"
#include "support/seams.h"

#define TICK_US MSEC(10)

void foreign_start(struct net *net, int side, const char *program, uint32_t buffer_bytes, uint32_t window_bytes, uint16_t streams)
{
    struct foreign *foreign = calloc(1, sizeof(*foreign));
    int to[2], from[2];
    assert_int_equal(pipe2(to, O_CLOEXEC), 0);     /* another one must not keep this one's open */
    assert_int_equal(pipe2(from, O_CLOEXEC), 0);
    foreign->pid = fork();
    assert_true(foreign->pid >= 0);
    if (foreign->pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        execl(program, program, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    foreign->in = fdopen(to[1], "w");
    foreign->out = fdopen(from[0], "r");
    sctp_free(net->side[side].sctp);
    net->side[side].sctp = NULL;
    net->side[side].foreign = foreign;
    const struct foreign_start start = {.buffer_bytes = buffer_bytes, .window_bytes = window_bytes, .streams = streams,
                                        .mtu = SCTP_MTU_DEFAULT};
    foreign_command(net, side, FOREIGN_START, VIEW(&start, sizeof(start)), VIEW(NULL, 0));
}

void foreign_stop(struct net *net, int side)
{
    struct foreign *foreign = net->side[side].foreign;
    fclose(foreign->in);
    fclose(foreign->out);
    int status;
    assert_int_equal(waitpid(foreign->pid, &status, 0), foreign->pid);
    for (unsigned i = 0; i < NET_STREAMS; i++)
        free(foreign->parts[i]);
    free(foreign);
    net->side[side].foreign = NULL;
    assert_int_equal(status, 0);
}

static void on_message(struct net *net, int side, const uint8_t *body, size_t size)
{
    struct foreign *foreign = net->side[side].foreign;
    struct foreign_message head;
    memcpy(&head, body, sizeof(head));
    size -= sizeof(head);
    assert_true(head.stream < NET_STREAMS);
    size_t *have = &foreign->part_bytes[head.stream];
    uint8_t *parts = realloc(foreign->parts[head.stream], *have + size);
    assert_non_null(parts);
    memcpy(parts + *have, body + sizeof(head), size);
    foreign->parts[head.stream] = parts;
    *have += size;
    if (!head.is_whole)
        return;
    const struct sctp_event event = {.kind = SCTP_EVENT_MESSAGE, .stream = head.stream, .ppid = head.ppid, .data = VIEW(parts, *have)};
    *have = 0;
    net_event(net, side, &event);
}

static void on_note(struct net *net, int side, const uint8_t *body)
{
    struct foreign_note note;
    memcpy(&note, body, sizeof(note));
    static const enum sctp_event_kind kinds[] = {
        [FOREIGN_UP] = SCTP_EVENT_UP,             [FOREIGN_DOWN] = SCTP_EVENT_CLOSED,        [FOREIGN_RESTART] = SCTP_EVENT_RESTARTED,
        [FOREIGN_RESET_IN] = SCTP_EVENT_RESET_IN, [FOREIGN_RESET_OUT] = SCTP_EVENT_RESET_OUT, [FOREIGN_STREAMS] = SCTP_EVENT_STREAMS,
    };
    const struct sctp_event event = {.kind = kinds[note.kind], .ok = note.kind < FOREIGN_RESET_IN || note.what == 0, .stream = note.stream,
                                     .streams_in = note.streams_in, .streams_out = note.streams_out};
    if (!net->side[side].is_closed)              /* it tells its end twice */
        net_event(net, side, &event);
}

void foreign_command(struct net *net, int side, uint8_t type, struct view head, struct view data)
{
    static uint8_t body[FOREIGN_FRAME_MAX];
    struct foreign *foreign = net->side[side].foreign;
    foreign->tick_at = net->now + TICK_US;
    struct frame frame = {.now_us = net->now, .size = (uint32_t)(head.size + data.size), .type = type};
    fwrite(&frame, sizeof(frame), 1, foreign->in);
    if (head.size > 0)
        fwrite(head.data, head.size, 1, foreign->in);
    if (data.size > 0)
        fwrite(data.data, data.size, 1, foreign->in);
    fflush(foreign->in);
    for (;;) {
        assert_int_equal(fread(&frame, sizeof(frame), 1, foreign->out), 1);
        assert_true(frame.size <= sizeof(body));
        if (frame.size > 0)
            assert_int_equal(fread(body, frame.size, 1, foreign->out), 1);
        if (frame.type == FOREIGN_DONE)
            return;
        if (frame.type == FOREIGN_PACKET)
            net_carry(net, side, VIEW(body, frame.size));
        else if (frame.type == FOREIGN_MESSAGE)
            on_message(net, side, body, frame.size);
        else if (frame.type == FOREIGN_NOTE)
            on_note(net, side, body);
        else if (frame.type == FOREIGN_RESULT)
            foreign->last_result = body[0] == 1;
    }
}
