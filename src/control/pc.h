/* control/pc.h - one PeerConnection's life, as control sees it. One state machine for every way in and out:
 *
 *   client's offer -> PC_OFFERED -(plugin's answer)-> PC_OPEN -(PEER_UP)-> PC_UP -> PC_CLOSING -(PEER_CLOSED)-> freed
 *                         '-(refused)-> freed            ^                            ^
 *   plugin's offer ---------------------------------------'    any end ---------------'
 *
 * A closing one has left its handle, which may open another at once: names are slots with generations, so nothing waits
 * for the old one (the reference makes the new one wait up to 3 s, and answers 471). Its slot and the names of its sources
 * stay taken until the worker has confirmed. */
#pragma once

#include "control/state.h"

/* Of a handle that has none. NULL: at the limit (counted). */
struct pc *pc_new(struct control *c, struct handle *handle);
/* By the name in a fact; NULL when stale or closing. */
struct pc *pc_find(const struct control *c, struct peer_ref peer);

/* Gives it a worker, a name and credentials, or says ERR_FULL; no order is sent yet. pc_unseat takes it back. */
enum err pc_seat(struct control *c, struct pc *pc);
void pc_unseat(struct control *c, struct pc *pc);
void pc_mint_credentials(struct control *c, const struct pc *pc, char ufrag[UFRAG_CHARS + 1], char pwd[PWD_CHARS + 1]);

/* Brings the sources into line with what both descriptions say; new ones only with `complete`: an answer has passed. */
void pc_update_sources(struct control *c, struct pc *pc, bool complete);

/* To be shown to operators, where anybody can ask (control_config.shows_peers): the newest description of either side, and what the client has told of its addresses. */
void pc_keep_description(const struct control *c, struct pc *pc, bool local, struct view text);
void pc_keep_candidate(const struct control *c, struct pc *pc, const struct ice_candidate *candidate);

/* The caller has taken it from its handle, or does so. */
void pc_close(struct control *c, struct pc *pc, bool notify);
/* PEER_CLOSED, or a negotiation that came to nothing. */
void pc_free(struct control *c, struct pc *pc);
/* PEER_CLOSED. False: no closing one of that name. */
bool pc_closed(struct control *c, struct peer_ref peer);
