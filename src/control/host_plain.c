/* The verbs of plain RTP and of names (plugins/plugin.h). */
#include "control/graph.h"
#include "control/handle.h"
#include "control/op.h"
#include "control/out.h"
#include "control/place.h"
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

/* Near a source, beside another socket, or where a peer of that group would be. False: whom it shall be near to is gone. */
static bool find_worker(struct control *c, struct ref source, const struct plain_options *options, uint32_t *worker)
{
    const struct source *near = graph_source(c, source);
    const struct plain *beside = slots_get(&c->plain_names, options->beside);
    if (!ref_is_none(source))
        *worker = near == NULL ? 0 : source_worker(near);
    else if (!ref_is_none(options->beside))
        *worker = beside == NULL ? 0 : beside->worker;
    else
        *worker = place_peer(c, options->group);
    return (near != NULL || ref_is_none(source)) && (beside != NULL || ref_is_none(options->beside));
}

enum err host_plain_open(struct host *host, const struct plugin_request *request, struct ref source, const struct plain_options *options,
                         void *data, struct ref *out)
{
    struct control *c = host->control;
    uint32_t worker;
    struct ref op = REF_NONE;
    if (!find_worker(c, source, options, &worker))
        return ERR_GONE;
    if (c->plains.used >= PLAINS_MAX)
        return ERR_FULL;
    enum err err = request == NULL ? ERR_NONE : op_begin(c, handle_get(c, request->handle), data, &op);
    if (err == ERR_NONE)
        *out = plain_open(c, worker, options, op);
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

struct ref host_source_open(struct host *host, const struct inlet_options *options)
{
    struct control *c = host->control;
    const struct plain *plain = slots_get(&c->plain_names, options->plain), *rtcp = slots_get(&c->plain_names, options->rtcp);
    if (plain == NULL || (rtcp != NULL && rtcp->worker != plain->worker)) {
        c->counters.verbs_refused++;
        return REF_NONE;
    }
    const struct source *source = graph_add_inlet(c, host, plain->worker, options);
    return source == NULL ? REF_NONE : source->ref;
}

void host_source_close(struct host *host, struct ref ref)
{
    struct control *c = host->control;
    struct source *source = graph_source(c, ref);
    if (source != NULL && source->pc == NULL)
        graph_del_inlet(c, source);
    else
        c->counters.verbs_stale += !ref_is_none(ref);
}
