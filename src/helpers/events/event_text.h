/* helpers/events/event_text.h - bodies of events that come as structs. Pure. */
#pragma once

#include "base/json_out.h"
#include "msg/events.h"

/* event-handlers.md 3.5. False: a state that is not told. */
bool event_text_webrtc(struct json_out *j, const struct event_webrtc_fact *fact);
/* One object of event-handlers.md 3.6, subtype 3. */
void event_text_stats(struct json_out *j, const struct media_stats *stats);
