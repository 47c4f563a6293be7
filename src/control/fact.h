/* control/fact.h - what workers report about peers and sinks (msg/control.h): to the plugin first, then to the client.
 * A fact about something gone or going is a normal case: counted. */
#pragma once

#include "control/state.h"

void fact_peer_up(struct control *c, const struct peer_fact *fact);
void fact_peer_hangup(struct control *c, const struct peer_hangup_fact *fact);
void fact_peer_closed(struct control *c, const struct peer_fact *fact);
void fact_peer_ice_failed(struct control *c, const struct peer_fact *fact);
void fact_peer_media(struct control *c, const struct peer_media_fact *fact);
void fact_peer_slowlink(struct control *c, const struct peer_slowlink_fact *fact);
void fact_sink_layer(struct control *c, const struct sink_layer_fact *fact);
void fact_peer_data_up(struct control *c, const struct peer_fact *fact);
void fact_peer_data(struct control *c, const struct message *m);       /* may keep the message's block */
void fact_peer_data_taken(struct control *c, const struct peer_data_taken_fact *fact);
void fact_source_level(struct control *c, const struct source_level_fact *fact);
void fact_worker_srflx(struct control *c, const struct worker_srflx_fact *fact);
/* The answer to an operation that a disk helper did. */
void fact_disk_done(struct control *c, struct ref op, const struct disk_done *fact);
void fact_plain_opened(struct control *c, struct ref op, const struct plain_opened_fact *fact);
/* From the events actor: what a handler says to notify_query, NUL-ended JSON. */
void fact_name_found(struct control *c, struct ref op, const struct dns_answer *fact);
