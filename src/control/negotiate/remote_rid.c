/* control/negotiate/remote_rid.c - simulcast by restriction identifiers (RFC 8851, RFC 8853), as a client offers it. */
#include "base/str.h"
#include "control/negotiate/negotiate_internal.h"

/* RFC 8851 10: letters, digits, - and _. Anything else could not be written back into a simulcast list. */
static bool is_rid(struct view text)
{
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_'))
            return false;
    }
    return text.size > 0 && text.size < NEGOTIATE_RID_ROOM;
}

static int rid_place(const struct view *rids, unsigned count, struct view rid)
{
    for (unsigned i = 0; i < count; i++)
        if (str_equal(rids[i], rid))
            return (int)i;
    return -1;
}

/* The first three in the order of their a=rid lines. */
static unsigned collect_rids(struct view rids[NEGOTIATE_LAYERS_MAX], const struct sdp_mline *mline)
{
    unsigned count = 0;
    const struct sdp_attr *attr = sdp_attr_find(&mline->attrs, STR("rid"));
    for (; attr != NULL && count < NEGOTIATE_LAYERS_MAX; attr = sdp_attr_find_next(attr, STR("rid"))) {
        struct view rest = attr->value;
        struct view id = sdp_field(&rest);
        if (is_rid(id) && str_equal(sdp_field(&rest), STR("send")) && rid_place(rids, count, id) < 0)
            rids[count++] = id;
    }
    return count;
}

/* "send h;~m;l", "recv a send h,h2;l" or the legacy " send rid=h;m;l": what follows the word "send". */
static struct view send_list(struct view value)
{
    for (struct view direction; (direction = sdp_field(&value)).size > 0;) {
        struct view list = sdp_field(&value);
        if (str_equal(direction, STR("send")))
            return list;
    }
    return STR("");
}

void remote_compile_rids(struct remote_mline *out, const struct sdp_mline *mline, bool lowest_first)
{
    struct view rids[NEGOTIATE_LAYERS_MAX];
    bool paused[NEGOTIATE_LAYERS_MAX] = {false};
    const unsigned count = collect_rids(rids, mline);
    const struct view legacy = STR("rid=");
    struct view list = send_list(sdp_attr_value(&mline->attrs, STR("simulcast")));
    if (count == 0)
        return;
    out->simulcast = list.size > 0;
    out->simulcast_legacy = str_starts(list, legacy);
    if (out->simulcast_legacy)
        list = VIEW(list.data + legacy.size, list.size - legacy.size);
    while (list.size > 0) {
        struct view alternatives = str_split(&list, ';');
        while (alternatives.size > 0) {
            struct view rid = str_split(&alternatives, ',');
            const bool is_paused = str_starts(rid, STR("~"));
            const int place = rid_place(rids, count, is_paused ? VIEW(rid.data + 1, rid.size - 1) : rid);
            if (place >= 0)
                paused[place] = is_paused;
        }
    }
    out->rid_count = (uint8_t)count;
    out->rid_lowest_first = lowest_first;
    for (unsigned i = 0; i < count; i++) {
        const unsigned layer = lowest_first ? i : count - 1 - i;
        str_copy(out->rid[layer], NEGOTIATE_RID_ROOM, rids[i]);
        out->rid_paused[layer] = paused[i];
    }
}
