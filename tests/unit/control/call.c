#include "control/call.h"

#include <stdlib.h>

#include "control/probe_plugin.h"

void call_begin(struct server *s, struct call *call, uint32_t client)
{
    *call = (struct call){.client = client};
    call->session = server_create(s, client);
    call->handle = server_attach(s, client, call->session);
    call->name = probe_handle();
    probe_diary();
}

void call_jsep(struct server *s, const struct call *call, const char *what, const char *type, const char *sdp, const char *extra)
{
    char *quoted = json_quoted(sdp);
    server_say(s, call->client, "{\"janus\":\"message\",\"transaction\":\"m\",\"session_id\":%lld,\"handle_id\":%lld,\"body\":{\"do\":\"%s\"},"
                                "\"jsep\":{\"type\":\"%s\",\"sdp\":%s%s}}", call->session, call->handle, what, type, quoted, extra);
    free(quoted);
}

void call_connect(struct server *s, struct call *call, const char *sdp, const char *extra)
{
    fake_forget(s->actor);
    call_jsep(s, call, "answer", "offer", sdp, extra);
    const struct peer_open_order *open = server_order(s, WORKER_PEER_OPEN, &call->peer.worker);
    const struct peer_apply_order *apply = server_order(s, WORKER_PEER_APPLY, NULL);
    assert_non_null(open);
    assert_non_null(apply);
    call->peer.ref = open->peer;
    for (unsigned i = 0; i < 2 && i < apply->mline_count; i++)
        call->sources[i] = apply->mlines[i].source;
    fake_forget(s->actor);
}

void call_fact(struct server *s, const struct call *call, uint16_t type)
{
    struct peer_fact fact = {call->peer};
    server_fact(s, type, &fact, sizeof(fact));
}

void call_expect(struct server *s, const struct call *call, const char *janus, const char *rest)
{
    expect_text(s, call->client, "{\"janus\":\"%s\",\"session_id\":%lld,\"sender\":%lld%s}", janus, call->session, call->handle, rest);
    assert_true(server_last_was_event(s));
}
