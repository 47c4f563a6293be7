/* ICE and DTLS, and what follows from their events: addresses are bound, the handshake is started, keys are installed. */
#include <string.h>

#include "base/str.h"
#include "peer/peer_private.h"

static void send_ice(struct peer *peer)
{
    struct ice_tx tx;
    while (ice_poll_tx(peer->ice, &tx))
        egress_raw(&peer->env->egress, &tx.to, VIEW(tx.data, tx.size));
}

static const struct net_tuple *dtls_destination(const struct peer *peer)
{
    const struct net_tuple *selected = ice_selected(peer->ice);
    return selected != NULL ? selected : peer->has_verified ? &peer->verified : NULL;
}

/* ---- what event handlers are told (event-handlers.md 3.5) ---- */

static void tell_ice(struct peer *peer, enum ice_state state)
{
    if (!peer->env->settings.tell_webrtc || peer->ice_told == state)
        return;
    peer->ice_told = (uint8_t)state;
    peer_tell(peer, &(struct peer_event){.kind = PEER_EVENT_ICE_STATE, .reason = (uint8_t)state});
}

static void tell_pair(struct peer *peer, const struct net_tuple *tuple)
{
    struct ice_info ice;
    if (!peer->env->settings.tell_webrtc)
        return;
    ice_describe(peer->ice, &ice);
    peer_tell(peer, &(struct peer_event){.kind = PEER_EVENT_PAIR, .reason = (uint8_t)ice.remote_type, .tuple = *tuple});
}

static void tell_dtls_state(struct peer *peer, enum dtls_state state, uint32_t retransmissions)
{
    if (peer->dtls_told == state && peer->retransmissions_told == retransmissions)
        return;
    peer->dtls_told = (uint8_t)state;
    peer->retransmissions_told = retransmissions;
    peer_tell(peer, &(struct peer_event){.kind = PEER_EVENT_DTLS, .reason = (uint8_t)state, .count = retransmissions});
}

static void tell_dtls(struct peer *peer)
{
    struct dtls_info dtls;
    if (!peer->env->settings.tell_webrtc || peer->dtls_told == DTLS_CONNECTED)
        return;
    dtls_get_info(peer->dtls, &dtls);
    const bool trying = dtls.state == DTLS_CREATED || dtls.state == DTLS_TRYING;        /* it begins when ICE lets it */
    tell_dtls_state(peer, trying ? DTLS_TRYING : (enum dtls_state)dtls.state, dtls.retransmissions);
}

static void become_up(struct peer *peer, usec_t now)
{
    if (peer->phase != PEER_CONNECTING || peer->keys_in == NULL || ice_selected(peer->ice) == NULL)
        return;
    peer->phase = PEER_UP;
    peer->up_at = now;
    /* Ticks of peers that came together are spread over the second. */
    peer->tick_at = usec_on_grid(now + PEER_TICK_US / 2 + rng_u32(peer->env->rng) % (PEER_TICK_US / 2));
    peer_tell(peer, &(struct peer_event){.kind = PEER_EVENT_UP});
    peer_data_start(peer, now);
    for (uint16_t i = 0; i < peer->mline_count; i++) {
        struct mline *mline = peer->mlines[i];
        if (mline->sink == NULL || mline->sink->source == NULL)
            continue;
        if (!fanout_replay(mline->sink->source, mline->sink, now))
            source_want_keyframe(mline->sink->source);
    }
}

static void on_ice_state(struct peer *peer, usec_t now, const struct ice_event *event)
{
    tell_ice(peer, event->state);
    switch (event->state) {
    case ICE_CONNECTED:
        peer->was_connected = true;
        peer->ice_failed_at = 0;
        break;
    case ICE_FAILED:
        if (peer->ice_failed_at != 0)
            break;
        peer->ice_failed_at = now;
        peer->ice_lost = event->failure == ICE_FAIL_CONSENT || event->failure == ICE_FAIL_LOST;
        if (peer->was_connected)
            peer_tell(peer, &(struct peer_event){.kind = PEER_EVENT_ICE_FAILED});
        if (peer->was_connected && peer->env->settings.hangup_on_failed)
            peer_end(peer, HANGUP_ICE_FAILED);
        break;
    case ICE_NEW:
    case ICE_CHECKING:
    case ICE_DISCONNECTED:
        break;
    }
}

static void on_ice_event(struct peer *peer, usec_t now, const struct ice_event *event)
{
    switch (event->kind) {
    case ICE_EVENT_VERIFIED:
        peer_tell(peer, &(struct peer_event){.kind = PEER_EVENT_BIND, .tuple = event->tuple});
        if (!peer->has_verified || ice_selected(peer->ice) == NULL)
            peer->verified = event->tuple;
        peer->has_verified = true;
        peer_start_dtls(peer, now);
        break;
    case ICE_EVENT_FORGOTTEN:
        peer_tell(peer, &(struct peer_event){.kind = PEER_EVENT_UNBIND, .tuple = event->tuple});
        if (peer->has_verified && net_tuple_equal(&peer->verified, &event->tuple))
            peer->has_verified = false;
        break;
    case ICE_EVENT_SELECTED:
    case ICE_EVENT_SELECTED_CHANGED:
        peer_tell(peer, &(struct peer_event){.kind = PEER_EVENT_CLAIM, .tuple = event->tuple});
        peer->ice_failed_at = 0;
        peer->connected_at = peer->connected_at == 0 ? now : peer->connected_at;
        tell_ice(peer, ICE_CONNECTED);
        tell_pair(peer, &event->tuple);
        peer_start_dtls(peer, now);
        if (peer->dtls != NULL)
            peer_drain_dtls(peer, now);     /* what waited for it */
        become_up(peer, now);
        break;
    case ICE_EVENT_ROLE:
        break;
    case ICE_EVENT_STATE:
        on_ice_state(peer, now, event);
        break;
    }
}

void peer_drain_ice(struct peer *peer, usec_t now)
{
    struct ice_event event;
    send_ice(peer);
    while (ice_poll_event(peer->ice, &event)) {
        on_ice_event(peer, now, &event);
        send_ice(peer);
    }
}

/* DTLS is started, or taken in, from the first verified address on (design section 5), and answered from the first proven one:
 * the reference loses 55 ms by waiting for a nomination. */
void peer_start_dtls(struct peer *peer, usec_t now)
{
    if (peer->dtls != NULL || !peer->remote_known || dtls_destination(peer) == NULL || peer->phase == PEER_ENDED)
        return;
    const struct dtls_config config = {
        .role = peer->dtls_client ? DTLS_ROLE_CLIENT : DTLS_ROLE_SERVER,
        .remote = peer->fingerprint,
        .mtu = peer->env->settings.dtls_mtu,
    };
    peer->dtls = dtls_new(&peer->env->handshakes, peer->env->dtls, &config, now);
    if (peer->dtls == NULL) {
        peer_end(peer, HANGUP_DTLS_STACK);
        return;
    }
    peer->dtls_at = now;
    tell_dtls(peer);
    peer_drain_dtls(peer, now);
}

static struct seal_keys *make_keys(struct peer *peer, const struct dtls_srtp_keys *keys, bool local)
{
    struct seal_master master = {.profile = (enum seal_profile)keys->profile};
    memcpy(master.key, local ? keys->local_key : keys->remote_key, sizeof(master.key));
    memcpy(master.salt, local ? keys->local_salt : keys->remote_salt, sizeof(master.salt));
    struct seal_keys *made = seal_keys_new(peer->env->seal, &master);
    explicit_bzero(&master, sizeof(master));
    return made;
}

static void on_connected(struct peer *peer, usec_t now, struct dtls_srtp_keys *keys)
{
    peer->keys_out = make_keys(peer, keys, true);
    peer->keys_in = make_keys(peer, keys, false);
    dtls_srtp_keys_wipe(keys);
    if (peer->keys_out == NULL || peer->keys_in == NULL) {
        peer_end(peer, HANGUP_DTLS_STACK);
        return;
    }
    peer->keys_at = now;
    tell_dtls(peer);
    become_up(peer, now);
}

static enum hangup_reason reason_of(const char *text)
{
    struct view reason = str_of(text);
    if (str_equal(reason, STR(DTLS_REASON_TIMEOUT)))
        return HANGUP_DTLS_TIMEOUT;
    if (str_equal(reason, STR(DTLS_REASON_ERROR)))
        return HANGUP_DTLS_ERROR;
    if (str_equal(reason, STR(DTLS_REASON_STACK)))
        return HANGUP_DTLS_STACK;
    return HANGUP_DTLS_ALERT;
}

/* An authenticated check shows that somebody knows our password, not that the address is theirs: before a check of ours has been
 * answered from it nothing is sent there but STUN, which answers less than it is asked. (A lite agent asks nobody: there the
 * nomination has to do.) The other side's first flight takes as long to come as that answer does. */
static bool is_unproven(const struct peer *peer)
{
    return ice_selected(peer->ice) == NULL && peer->keys_in == NULL;
}

static void send_dtls(struct peer *peer, usec_t now)
{
    struct dtls_tx tx;
    dtls_hold(peer->dtls, now, is_unproven(peer));
    while (dtls_poll_tx(peer->dtls, &tx)) {
        const struct net_tuple *to = dtls_destination(peer);
        if (to == NULL)
            continue;
        traffic_add(&peer->dtls_out, tx.datagram.size);
        egress_raw(&peer->env->egress, to, tx.datagram);
    }
}

bool peer_send_record(struct peer *peer, usec_t now, struct view data)
{
    struct egress_batch *egress = &peer->env->egress;
    const struct net_tuple *to = dtls_destination(peer);
    uint8_t *room = peer->dtls == NULL || to == NULL ? NULL : egress_reserve(egress);
    if (room == NULL)
        return false;
    struct writer w = writer_of(room, EGRESS_PACKET);
    if (dtls_seal(peer->dtls, data, &w)) {
        egress_commit(egress, &(struct egress_item){.to = *to, .size = (uint16_t)writer_size(&w)});
        return true;
    }
    if (dtls_send(peer->dtls, data) != ERR_NONE)
        return false;
    send_dtls(peer, now);
    return true;
}

void peer_drain_dtls(struct peer *peer, usec_t now)
{
    struct dtls_event event;
    send_dtls(peer, now);
    tell_dtls(peer);
    while (dtls_poll_event(peer->dtls, &event)) {
        switch (event.kind) {
        case DTLS_EVENT_CONNECTED:
            on_connected(peer, now, &event.keys);
            break;
        case DTLS_EVENT_DATA:
            peer_data_input(peer, now, event.data);
            break;
        case DTLS_EVENT_CLOSED:
        case DTLS_EVENT_FAILED:
            peer_end(peer, reason_of(event.reason));
            break;
        }
        send_dtls(peer, now);
    }
}
