/* Plain RTP of fake_host.h: sockets that the test opens, forwards that run as long as their source does. */
#include "fake_host.h"

#include <stdio.h>

#include "base/str.h"

static struct fake_plain *plain_of(struct host *host, struct ref ref)
{
    struct fake_plain *plain = ref.slot < FAKE_PLAINS ? &host->plains[ref.slot] : NULL;
    return plain != NULL && plain->used && ref_equal(plain->ref, ref) ? plain : NULL;
}

static bool is_alive(const struct host *host, struct ref source)
{
    return source.slot < host->source_count && host->sources[source.slot].used && ref_equal(host->sources[source.slot].ref, source);
}

enum err host_plain_open(struct host *host, const struct plugin_request *request, struct ref source, const struct plain_options *options,
                         void *data, struct ref *plain)
{
    struct fake_op *op;
    uint32_t slot = 0;
    if (!ref_is_none(source) && !is_alive(host, source))
        return ERR_GONE;
    assert_true(ref_is_none(options->beside) || plain_of(host, options->beside) != NULL);
    enum err err = request == NULL ? ERR_NONE : fake_begin_op(host, request, data, &op);
    if (err != ERR_NONE)
        return err;
    while (slot < FAKE_PLAINS && host->plains[slot].used)
        slot++;
    assert_in_range(slot, 0, FAKE_PLAINS - 1);
    host->plains[slot] = (struct fake_plain){true, {slot, ++host->generation}, *options};
    *plain = host->plains[slot].ref;
    return ERR_NONE;
}

void host_plain_close(struct host *host, struct ref ref)
{
    struct fake_plain *plain = plain_of(host, ref);
    if (plain != NULL)
        plain->used = false;
    else
        assert_true(ref_is_none(ref));          /* sockets are the plugin's: it knows what it has */
}

struct ref host_forward_add(struct host *host, struct ref source, const struct forward_way *way, const struct forward_options *options)
{
    uint32_t slot = 0;
    if (!is_alive(host, source))
        return REF_NONE;
    assert_non_null(plain_of(host, way->plain));
    assert_true(ref_is_none(way->rtcp) || plain_of(host, way->rtcp) != NULL);
    assert_true(way->to.family != NET_NONE);
    while (slot < FAKE_FORWARDS && host->forwards[slot].used)
        slot++;
    assert_in_range(slot, 0, FAKE_FORWARDS - 1);
    host->forwards[slot] = (struct fake_forward){true, {slot, ++host->generation}, source, *way, *options};
    return host->forwards[slot].ref;
}

void host_forward_del(struct host *host, struct ref ref)
{
    struct fake_forward *forward = ref.slot < FAKE_FORWARDS ? &host->forwards[ref.slot] : NULL;
    if (forward != NULL && forward->used && ref_equal(forward->ref, ref))
        forward->used = false;                  /* or it has ended with its source */
}

enum err host_name_find(struct host *host, const struct plugin_request *request, const char *name, enum net_family family, void *data)
{
    struct fake_op *op;
    (void)family;
    if (strlen(name) > 253)
        return ERR_INVALID;
    enum err err = fake_begin_op(host, request, data, &op);
    if (err == ERR_NONE)
        snprintf(host->asked_name, sizeof(host->asked_name), "%s", name);
    return err;
}

uint32_t fake_plain_count(const struct host *host)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < FAKE_PLAINS; i++)
        count += host->plains[i].used;
    return count;
}

const struct fake_forward *fake_forward_at(const struct host *host, uint32_t n)
{
    for (unsigned i = 0; i < FAKE_FORWARDS; i++)
        if (host->forwards[i].used && is_alive(host, host->forwards[i].source) && n-- == 0)
            return &host->forwards[i];
    return NULL;
}

uint32_t fake_forward_count(const struct host *host)
{
    uint32_t count = 0;
    while (fake_forward_at(host, count) != NULL)
        count++;
    return count;
}

const struct fake_reply *fake_end_op_at(struct host *host, const char *ip, uint16_t port)
{
    assert_true(net_ip_parse(&host->answer_addr, str_of(ip)));
    host->answer_addr.port = port;
    return fake_end_op(host, ERR_NONE, NULL);
}

struct ref host_source_open(struct host *host, const struct inlet_options *options)
{
    const struct fake_plain *plain = plain_of(host, options->plain), *rtcp = plain_of(host, options->rtcp);
    assert_true(plain != NULL && plain->options.use == PLAIN_RECEIVE);
    assert_true(ref_is_none(options->rtcp) || (rtcp != NULL && rtcp->options.use == PLAIN_LATCH));
    const uint32_t index = fake_new_source(host, FAKE_HANDLES, &options->desc);
    host->sources[index].inlet = *options;
    return host->sources[index].ref;
}

void host_source_close(struct host *host, struct ref ref)
{
    if (ref_is_none(ref))
        return;
    assert_true(is_alive(host, ref));           /* these are the plugin's */
    host->sources[ref.slot].used = false;
    for (uint32_t i = 0; i < host->sink_count; i++)
        if (ref_equal(host->sinks[i].source, ref))
            host->sinks[i].source = REF_NONE;
}

const struct fake_source *fake_inlet_at(const struct host *host, uint32_t n)
{
    for (uint32_t i = 0; i < host->source_count; i++)
        if (host->sources[i].used && host->sources[i].inlet.ssrc != 0 && n-- == 0)
            return &host->sources[i];
    return NULL;
}

uint32_t fake_inlet_count(const struct host *host)
{
    uint32_t count = 0;
    while (fake_inlet_at(host, count) != NULL)
        count++;
    return count;
}

void host_source_levels(struct host *host, struct ref source, const struct level_window *window)
{
    if (is_alive(host, source))
        host->sources[source.slot].window = *window;
}
