/* Rooms of the configuration file (textroom.md 1). */
#include "base/str.h"
#include "plugins/textroom/textroom.h"

static char *text_or_null(const struct conf_node *node, const char *name)
{
    const char *text = conf_text(node, name, "");
    return text[0] == '\0' ? NULL : text_copy(text);
}

/* `room-1234` or `1234`; in integer mode plain decimal, not 0, written the usual way. NULL: no id. */
static const char *id_of(const struct textroom *tr, const char *category)
{
    const char *id = str_starts(str_of(category), STR("room-")) ? category + 5 : category;
    uint64_t number;
    if (tr->string_ids)
        return id[0] != '\0' && tr_id_is_fine(str_of(id)) ? id : NULL;
    return str_u64(str_of(id), &number) && id[0] != '0' ? id : NULL;
}

static void read_room(struct textroom *tr, struct tr_room *room, const struct conf_node *node, const char *category)
{
    const char *description = conf_text(node, "description", "");
    room->description = text_copy(description[0] != '\0' ? description : category);
    room->is_private = conf_bool(node, "is_private", false);
    room->secret = text_or_null(node, "secret");
    room->pin = text_or_null(node, "pin");
    room->post = text_or_null(node, "post");
    if (!conf_port(node, "history", 0, &room->history_max))
        room->history_max = 0;
    room->management_closed = secret_is_sample(room->secret);
    if (room->management_closed)
        host_log(tr->host, 3, "TextRoom: %s has a secret from a sample file; requests that need it are refused until you set your own",
                 category);
}

void tr_rooms_from_conf(struct textroom *tr, const struct conf_node *conf)
{
    for (uint32_t i = 0; i < conf_count(conf); i++) {
        const struct conf_node *node = conf_at(conf, i);
        const char *category = conf_name(node);
        if (conf_kind(node) != CONF_GROUP || str_equal_nocase(str_of(category), STR("general")))
            continue;
        const char *id = id_of(tr, category);
        if (id == NULL) {
            host_log(tr->host, 2, "TextRoom: %s is no usable room id, skipped", category);
            continue;
        }
        if (tr_room_get(tr, id) != NULL || tr->rooms.count == TR_ROOMS_MAX) {
            host_log(tr->host, 2, "TextRoom: room %s exists already, skipped", category);
            continue;
        }
        struct tr_room *room = tr_room_new(id);
        read_room(tr, room, node, category);
        tr_room_add(tr, room);
    }
}
