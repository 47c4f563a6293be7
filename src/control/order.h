/* control/order.h - what control tells workers (msg/worker.h). Orders need no answer and cannot be refused. */
#pragma once

#include "control/state.h"

struct plain;
struct forward;

void order_peer_open(struct control *c, const struct pc *pc);
/* The whole negotiated state. `restart`: our credentials are new ones. */
void order_peer_apply(struct control *c, const struct pc *pc, bool restart);
void order_peer_candidate(struct control *c, const struct pc *pc, const struct ice_candidate *candidate);
void order_peer_candidates_end(struct control *c, const struct pc *pc);
void order_peer_close(struct control *c, const struct pc *pc, bool notify);

void order_sink_add(struct control *c, const struct sink *sink, const struct sink_options *options);
void order_data_sink_add(struct control *c, const struct sink *sink, struct view label);
void order_sink_set(struct control *c, const struct sink *sink, const struct sink_options *options);
void order_sink_switch(struct control *c, const struct sink *sink);
void order_sink_del(struct control *c, const struct sink *sink);

/* What a recording is asked for with; texts are copied. */
struct record_order {
    const struct record_options *options;
    const char *folder, *name, *codec;
};
void order_record_start(struct control *c, const struct recording *recording, const struct record_order *order);
void order_record_stop(struct control *c, const struct recording *recording);

void order_source_set(struct control *c, const struct source *source);
void order_source_cap(struct control *c, const struct source *source, const struct rate_cap *cap);
void order_source_levels(struct control *c, const struct source *source, const struct level_window *window);
void order_plain_open(struct control *c, const struct plain *plain, const struct plain_options *options, struct ref op);
void order_plain_close(struct control *c, const struct plain *plain);
void order_inlet_open(struct control *c, const struct source *source, const struct inlet_options *options);
void order_inlet_close(struct control *c, const struct source *source);
void order_forward_add(struct control *c, const struct forward *forward, const struct forward_way *way, const struct forward_options *options);
void order_forward_del(struct control *c, const struct forward *forward);
void order_keyframe(struct control *c, const struct source *source);
