/* control/data.h - data channels on control: messages from clients to their plugin, and back (plugins/plugin.h, "data channels").
 * Both ways have a window, so that neither a client nor a plugin can fill the rings: what a worker has told and control is not
 * done with (DATA_IN_WINDOW), what control has sent and the worker is not done with (DATA_OUT_WINDOW). */
#pragma once

#include "control/state.h"

/* The line of our newest description that carries data channels; NULL: none. */
const struct local_mline *data_line(const struct pc *pc);

void data_arrived(struct control *c, struct pc *pc, const struct message *m);     /* a CONTROL_PEER_DATA */
/* A message of any size when nothing is under way, as far as is known: the worker keeps DATA_TAKEN_STEP to itself. */
bool data_has_room(const struct pc *pc, size_t bytes);
void data_taken(struct control *c, struct pc *pc, uint32_t cost);
/* Tells the plugin that it can send, and offers what it has put off. */
void data_ready(struct control *c, struct pc *pc);
/* Offers what the plugin has put off, until it puts off again. */
void data_offer_again(struct control *c, struct pc *pc);
/* The PeerConnection ends: what was put off is nobody's any more. */
void data_forget(struct pc *pc);
