/* control/graph.h - control's side of the media graph: names of sources and sinks and who feeds whom (plugins/plugin.h, "the
 * media graph"). The workers hold the graph that packets walk; what changes here is an order to them.
 *
 * A source lives in a line of the PeerConnection that receives it, on that peer's worker; a sink in a line of the one that
 * sends it. Either may end first. */
#pragma once

#include "control/state.h"

/* NULL when gone, or when their PeerConnection is closing. */
struct source *graph_source(const struct control *c, struct ref ref);
uint32_t source_worker(const struct source *source);
struct sink *graph_sink(const struct control *c, struct ref ref);

/* The line receives `desc`, or (NULL) nothing. Keeps the source that is there when nothing about it has changed; else its
 * sinks fall silent and it is replaced. At SOURCES_MAX the line has no source (counted), and the
 * PeerConnection ends after this turn, as it does where there is no room for a sink. */
void graph_set_source(struct control *c, struct pc *pc, uint16_t mindex, const struct source_desc *desc);

/* A source that plain RTP feeds. NULL: SOURCES_MAX (counted). */
struct source *graph_add_inlet(struct control *c, struct host *host, uint32_t worker, const struct inlet_options *options);
void graph_del_inlet(struct control *c, struct source *source);

/* Replaces the line's sink. `source` may be NULL. NULL: no such line, or SINKS_MAX (both counted). */
struct sink *graph_add_sink(struct control *c, struct source *source, struct pc *pc, uint16_t mindex, const struct sink_options *options);
/* One more of the data line. NULL: there is no such line, or SINKS_MAX (both counted). `label`: at most DATA_LABEL_MAX. */
struct sink *graph_add_data_sink(struct control *c, struct source *source, struct pc *pc, struct view label, bool paused);
void graph_switch_sink(struct control *c, struct sink *sink, struct source *source);
void graph_del_sink(struct control *c, struct sink *sink);

/* The PeerConnection closes: its sinks end, and those fed by its sources fall silent. The sources' names stay taken until
 * graph_drop, since the worker knows them until it has closed the peer. */
void graph_silence(struct control *c, struct pc *pc);
void graph_drop(struct control *c, struct pc *pc);
