/* The verbs of plain RTP and of names (plugins/plugin.h). */
#include "control/graph.h"
#include "control/handle.h"
#include "control/op.h"
#include "control/out.h"
#include "control/plain.h"
#include "base/str.h"
#include "msg/dns.h"

enum err host_name_find(struct host *host, const struct plugin_request *request, const char *name, enum net_family family, void *data)
{
    struct control *c = host->control;
    struct dns_ask ask = {.answer = CONTROL_NAME_FOUND, .family = (uint8_t)family};
    struct ref op;
    if (!str_copy(ask.name, sizeof(ask.name), str_of(name)))
        return ERR_INVALID;
    enum err err = op_begin(c, handle_get(c, request->handle), data, &op);
    if (err == ERR_NONE)
        out_op(c, ACTOR_DNS, DNS_ASK, op, &ask, sizeof(ask));
    return err;
}

enum err host_plain_open(struct host *host, const struct plugin_request *request, struct ref source, const struct plain_options *options,
                         void *data, struct ref *out)
{
    struct control *c = host->control;
    const struct source *near = graph_source(c, source);
    struct ref op;
    if (near == NULL)
        return ERR_GONE;
    if (c->plains.used >= PLAINS_MAX)
        return ERR_FULL;
    enum err err = op_begin(c, handle_get(c, request->handle), data, &op);
    if (err == ERR_NONE)
        *out = plain_open(c, near, options, op);
    return err;
}

void host_plain_close(struct host *host, struct ref plain)
{
    plain_close(host->control, plain);
}

struct ref host_forward_add(struct host *host, struct ref ref, const struct forward_way *way, const struct forward_options *options)
{
    struct control *c = host->control;
    struct source *source = graph_source(c, ref);
    if (source != NULL)
        return forward_add(c, source, way, options);
    c->counters.verbs_stale += !ref_is_none(ref);
    return REF_NONE;
}

void host_forward_del(struct host *host, struct ref forward)
{
    forward_del(host->control, forward);
}
