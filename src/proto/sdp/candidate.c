#include "proto/sdp/candidate.h"

#include "base/str.h"
#include "proto/sdp/sdp_internal.h"

#define COMPONENT_MAX 256u         /* RFC 8839 5.1 */

static const char *const type_names[] = {[ICE_HOST] = "host", [ICE_SRFLX] = "srflx", [ICE_PRFLX] = "prflx", [ICE_RELAY] = "relay"};
static const char *const tcptype_names[] = {[ICE_TCP_NONE] = "", [ICE_TCP_ACTIVE] = "active", [ICE_TCP_PASSIVE] = "passive", [ICE_TCP_SO] = "so"};

static bool parse_word(uint8_t *out, struct view word, const char *const names[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (word.size > 0 && str_equal_nocase(word, str_of(names[i]))) {
            *out = (uint8_t)i;
            return true;
        }
    }
    return false;
}

static bool is_mdns_name(struct view text)
{
    const struct view suffix = STR(".local");
    return text.size > suffix.size && str_equal_nocase(VIEW(text.data + text.size - suffix.size, suffix.size), suffix);
}

/* raddr, rport, tcptype, and extensions that mean nothing to us, in pairs. A related address is only shown, never used:
 * one that we cannot read is as if it were not there. */
static bool parse_pairs(struct ice_candidate *c, struct view rest)
{
    for (struct view name; (name = sdp_field(&rest)).size > 0;) {
        struct view value = sdp_field(&rest);
        uint16_t port;
        if (str_equal_nocase(name, STR("raddr"))) {
            net_ip_parse(&c->related, value);
        } else if (str_equal_nocase(name, STR("rport"))) {
            if (c->related.family != NET_NONE && str_u16(value, &port))
                c->related.port = port;
        } else if (str_equal_nocase(name, STR("tcptype"))) {
            if (!parse_word(&c->tcptype, value, tcptype_names, ARRAY_COUNT(tcptype_names)))
                return false;
        }
    }
    return c->tcp == (c->tcptype != ICE_TCP_NONE);
}

static struct view without_prefix(struct view text)
{
    const struct view prefixes[] = {STR("a="), STR("candidate:")};
    for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++)
        if (str_starts_nocase(text, prefixes[i]))
            text = VIEW(text.data + prefixes[i].size, text.size - prefixes[i].size);
    return text;
}

/* From the foundation to the type; *component and *address are for the caller to judge. */
static bool parse_fixed(struct ice_candidate *c, uint16_t *component, struct view *address, struct view *rest)
{
    struct view foundation = sdp_field(rest);
    if (foundation.size == 0 || foundation.size > CANDIDATE_FOUNDATION_CHARS_MAX ||
        !str_copy(c->foundation, sizeof(c->foundation), foundation))
        return false;
    if (!str_u16(sdp_field(rest), component) || *component == 0 || *component > COMPONENT_MAX)
        return false;
    struct view transport = sdp_field(rest);
    c->tcp = str_equal_nocase(transport, STR("tcp"));
    if (!c->tcp && !str_equal_nocase(transport, STR("udp")))
        return false;
    if (!str_u32(sdp_field(rest), &c->priority) || c->priority == 0)
        return false;
    *address = sdp_field(rest);
    if (address->size == 0 || address->size > CANDIDATE_ADDRESS_CHARS_MAX)
        return false;
    return str_u16(sdp_field(rest), &c->addr.port) && c->addr.port != 0 && str_equal_nocase(sdp_field(rest), STR("typ")) &&
           parse_word(&c->type, sdp_field(rest), type_names, ARRAY_COUNT(type_names));
}

enum candidate_result candidate_parse(struct ice_candidate *out, struct view *name, struct view text)
{
    struct ice_candidate c = {0};
    struct view address;
    uint16_t component;
    *name = STR("");
    text = str_trim(text);
    if (text.size == 0 || str_contains(text, STR("end-of-candidates")))
        return CANDIDATE_END;
    text = without_prefix(text);
    if (!parse_fixed(&c, &component, &address, &text) || !parse_pairs(&c, text))
        return CANDIDATE_INVALID;
    if (component != 1)
        return CANDIDATE_SKIPPED;              /* rtcp-mux: there is no component 2 (RFC 8843 9.3) */
    const uint16_t port = c.addr.port;
    const bool is_name = is_mdns_name(address);
    if (!is_name && !net_ip_parse(&c.addr, address))
        return CANDIDATE_INVALID;
    c.addr.port = port;
    *out = c;
    if (is_name)
        *name = address;
    return is_name ? CANDIDATE_NAME : CANDIDATE_OK;
}

void candidate_write(const struct ice_candidate *candidate, struct buf *out)
{
    char ip[NET_IP_TEXT];
    buf_addf(out, "%s 1 %s %u %s %u typ %s", candidate->foundation, candidate->tcp ? "tcp" : "udp", candidate->priority,
             net_ip_text(&candidate->addr, ip), candidate->addr.port, type_names[candidate->type]);
    if (candidate->related.family != NET_NONE)
        buf_addf(out, " raddr %s rport %u", net_ip_text(&candidate->related, ip), candidate->related.port);
    if (candidate->tcp)
        buf_addf(out, " tcptype %s", tcptype_names[candidate->tcptype]);
}
