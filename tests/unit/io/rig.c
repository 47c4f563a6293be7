#include "rig.h"

#include "support/seams.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "io/limits.h"

static char shown[1u << 21];

void rig_init(struct rig *r)
{
    memset(r, 0, sizeof(*r));
    r->rules = (struct client_rules){
        .layout = LAYOUT_COMPACT,
        .text_bytes_max = IO_TEXT_BYTES_MAX,
        .ping_trigger_us = SEC(30),
        .ping_timeout_us = SEC(10),
    };
    r->origin = (struct client_origin){.subprotocol = PROTOCOL};
    assert_true(net_ip_parse(&r->addr, STR("192.0.2.7")));
    r->now = SEC(1000);
    r->reads = true;
    buf_init(&r->heard, 1u << 28);
    buf_init(&r->texts, 1u << 28);
}

static void rig_fill(void *source, uint8_t *out, size_t size)
{
    (void)source;
    memset(out, 0x5A, size);
}

void rig_open(struct rig *r, const struct site *site)
{
    clients_init(&r->env, &r->rules, site, 4, rig_fill, NULL);
    r->env.wall_s = 784111777;
    assert_true(client_open(&r->env, &r->c, &r->origin, &r->addr, r->now));
}

void rig_fini(struct rig *r)
{
    client_fini(&r->env, &r->c);
    clients_fini(&r->env);
    buf_fini(&r->heard);
    buf_fini(&r->texts);
}

static void deliver(struct rig *r)
{
    struct view text;
    while (client_next(&r->env, &r->c, r->now, &text)) {
        buf_add_view(&r->texts, text);
        buf_add_char(&r->texts, '\n');
        r->text_count++;
    }
}

static void write_out(struct rig *r)
{
    struct view parts[OUTQ_PARTS];
    size_t count;
    while (r->reads && (count = client_output(&r->env, &r->c, r->now, parts)) > 0) {
        size_t size = 0;
        for (size_t i = 0; i < count; i++) {
            buf_add_view(&r->heard, parts[i]);
            size += parts[i].size;
        }
        client_sent(&r->env, &r->c, r->now, size);
    }
}

void rig_settle(struct rig *r)
{
    write_out(r);
    while (client_resume(&r->env, &r->c, r->now)) {
        deliver(r);
        write_out(r);
    }
}

void rig_say(struct rig *r, struct view bytes)
{
    size_t step = r->step > 0 ? r->step : IO_READ_BYTES;
    for (size_t at = 0; at < bytes.size; at += step) {
        size_t size = bytes.size - at < step ? bytes.size - at : step;
        if (!client_wants_input(&r->c))
            break;
        uint8_t *copy = malloc(size);              /* exact, so that a sanitizer sees the first byte beyond */
        assert_non_null(copy);
        memcpy(copy, bytes.data + at, size);
        client_feed(&r->env, &r->c, r->now, copy, size);
        deliver(r);
        free(copy);
        rig_settle(r);
    }
}

void rig_say_text(struct rig *r, const char *text)
{
    rig_say(r, str_of(text));
}

void rig_run_to(struct rig *r, usec_t when)
{
    for (;;) {
        usec_t next = client_deadline(&r->env, &r->c);
        if (next > when)
            break;
        r->now = next > r->now ? next : r->now;
        client_timeout(&r->env, &r->c, r->now);
        rig_settle(r);
        usec_t after = client_deadline(&r->env, &r->c);
        assert_true(after > r->now);               /* a deadline that stays would spin the loop */
    }
    r->now = when;
}

void rig_upgrade(struct rig *r)
{
    rig_say_text(r, UPGRADE "\r\n");
    assert_int_equal(r->c.state, CLIENT_WEBSOCKET);
    assert_true(str_starts(buf_view(&r->heard), STR("HTTP/1.1 101 ")));
    buf_clear(&r->heard);
}

void frame_of_client(struct buf *out, uint8_t first_byte, struct view payload)
{
    uint8_t head[WS_HEAD_MAX], mask[4] = {5, 6, 7, 8};
    size_t size = ws_head(head, WS_OP_TEXT, true, payload.size, mask);
    head[0] = first_byte;
    buf_add(out, head, size);
    size_t at = out->size;
    buf_add_view(out, payload);
    if (payload.size > 0)
        ws_mask(out->data + at, payload.size, mask);
}

void rig_message(struct rig *r, const char *text)
{
    struct buf b;
    buf_init(&b, 1u << 22);
    frame_of_client(&b, 0x81, str_of(text));
    rig_say(r, buf_view(&b));
    buf_fini(&b);
}

const char *rig_frames(struct rig *r)
{
    static const char *const names[] = {[WS_TEXT] = "T", [WS_BINARY] = "B", [WS_PING] = "P", [WS_PONG] = "p", [WS_CLOSED] = "C", [WS_ERROR] = "ERROR"};
    struct ws ws;
    struct ws_event event;
    struct ws_input input = {r->heard.data, r->heard.size};
    struct buf out;
    buf_init(&out, sizeof(shown) - 1);
    ws_init(&ws, WS_CLIENT, 1u << 24);
    while (ws_read(&ws, &input, &event)) {
        if (out.size > 0)
            buf_add_char(&out, '|');
        buf_addf(&out, "%s:", names[event.kind]);
        if (event.kind == WS_CLOSED || event.kind == WS_ERROR)
            buf_addf(&out, "%u", event.code);
        else
            buf_add_view(&out, event.data);
    }
    assert_false(ws_is_partial(&ws));
    ws_fini(&ws);
    buf_clear(&r->heard);
    assert_false(out.failed);
    memcpy(shown, buf_text(&out), out.size);
    shown[out.size] = '\0';
    buf_fini(&out);
    return shown;
}

static const char *take(struct buf *b)
{
    assert_true(b->size < sizeof(shown));
    if (b->size > 0)
        memcpy(shown, b->data, b->size);
    shown[b->size] = '\0';
    buf_clear(b);
    return shown;
}

const char *rig_texts(struct rig *r)
{
    return take(&r->texts);
}

const char *rig_heard(struct rig *r)
{
    return take(&r->heard);
}
