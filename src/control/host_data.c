/* control/host_data.c - the verbs about data channels (plugins/plugin.h). No PeerConnection has any yet: application lines are
 * rejected (docs/JANUS-COMPAT.md), so there is nobody to send to. */
#include "control/handle.h"

enum err host_data_send(struct host *host, struct ref handle, const struct data_message *message)
{
    (void)handle;
    (void)message;
    host->control->counters.verbs_refused++;
    return ERR_GONE;
}

size_t host_data_max(struct host *host, struct ref handle)
{
    (void)host;
    (void)handle;
    return 0;
}

struct ref host_data_sink_add(struct host *host, struct ref source, struct ref handle, struct view label, bool paused)
{
    (void)source;
    (void)handle;
    (void)label;
    (void)paused;
    host->control->counters.verbs_refused++;
    return REF_NONE;
}
