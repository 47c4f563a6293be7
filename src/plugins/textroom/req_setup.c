/* The PeerConnection of a handle: we offer, and the client answers (textroom.md 4). */
#include "base/str.h"
#include "plugins/textroom/textroom.h"
#include "proto/sdp/offer_answer.h"

#define OFFER_BYTES_MAX 4096u

static bool write_offer(const struct tr_session *session, struct buf *out)
{
    struct sdp *offer = sdp_offer_new(STR("Cardea TextRoom"), session->offer_id, session->offer_version);
    const struct sdp_offer_line line = sdp_offer_line_of(SDP_APPLICATION, SDP_SENDRECV);
    const bool fine = sdp_offer_add(offer, &line) != NULL && sdp_write(offer, out);
    sdp_free(offer);
    return fine;
}

/* The event with our offer goes out at once: what became of it decides what is remembered. */
static enum tr_error offer(struct tr_call *call, bool restart)
{
    struct tr_session *session = call->session;
    struct buf wire;
    session->offer_version++;
    buf_init(&wire, OFFER_BYTES_MAX);
    jout_string(&call->j, "textroom", "event");
    jout_string(&call->j, "result", "ok");
    tr_finish(call);
    enum err sent = ERR_INVALID;
    if (write_offer(session, &wire)) {
        const struct jsep_out jsep = {.type = "offer", .sdp = buf_view(&wire), .restart = restart};
        sent = host_event(call->tr->host, session->handle, call->request->transaction, buf_view(&call->text), &jsep);
    }
    buf_fini(&wire);
    if (sent != ERR_NONE && sent != ERR_GONE)
        return tr_fail(call, TR_UNKNOWN, "The offer could not be made");
    call->replied = true;
    session->set_up = true;
    return TR_OK;
}

static enum tr_error req_setup(struct tr_call *call)
{
    if (call->session->set_up)
        return tr_fail(call, TR_SETUP, "PeerConnection already setup");
    call->session->offer_id = host_wall_us(call->tr->host);
    call->session->offer_version = 0;
    return offer(call, false);
}

static enum tr_error req_restart(struct tr_call *call)
{
    if (!call->session->set_up)
        return tr_fail(call, TR_SETUP, "PeerConnection not setup");
    return offer(call, true);
}

/* The core has taken the answer already. */
static enum tr_error req_ack(struct tr_call *call)
{
    jout_string(&call->j, "textroom", "event");
    jout_string(&call->j, "result", "ok");
    return TR_OK;
}

const struct tr_request tr_setup_requests[] = {
    {"setup", TR_NOTHING, NULL, 0, req_setup},
    {"ack", TR_NOTHING, NULL, 0, req_ack},
    {"restart", TR_NOTHING, NULL, 0, req_restart},
};
const size_t tr_setup_request_count = ARRAY_COUNT(tr_setup_requests);
