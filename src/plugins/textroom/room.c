/* Rooms: who is in them, and what they remember. */
#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugins/textroom/textroom.h"

/* They stand in configuration files and in logs: what would end a line there is no name. */
bool tr_id_is_fine(struct view text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20 || text.data[i] == 0x7F)
            return false;
    return text.size <= TR_ID_TEXT_MAX;
}

static uint64_t hash_text(const struct textroom *tr, const char *text)
{
    return hash_bytes(host_hash_key(tr->host), str_of(text));
}

static uint64_t hash_handle(const struct textroom *tr, struct ref handle)
{
    return hash_u64(host_hash_key(tr->host), ref_pack(handle));
}

struct tr_room *tr_room_get(const struct textroom *tr, const char *id)
{
    struct map_node *node = map_first(&tr->rooms, hash_text(tr, id));
    while (node != NULL && strcmp(CONTAINER_OF(node, struct tr_room, node)->id, id) != 0)
        node = map_next_same(node);
    return node == NULL ? NULL : CONTAINER_OF(node, struct tr_room, node);
}

struct tr_room *tr_room_new(const char *id)
{
    struct tr_room *room = mem_get_zero(sizeof(*room));
    room->id = text_copy(id);
    acl_init(&room->acl);
    list_init(&room->members);
    map_init(&room->by_name);
    map_init(&room->by_handle);
    list_init(&room->history);
    return room;
}

void tr_room_add(struct textroom *tr, struct tr_room *room)
{
    map_add(&tr->rooms, &room->node, hash_text(tr, room->id));
}

struct tr_said *tr_said_new(struct view text)
{
    struct tr_said *said = mem_get(sizeof(*said) + text.size);
    said->size = text.size;
    memcpy(said->text, text.data, text.size);
    return said;
}

static void forget_oldest(struct textroom *tr, struct tr_room *room)
{
    struct tr_said *said = CONTAINER_OF(list_pop(&room->history), struct tr_said, node);
    room->history_count--;
    room->history_bytes -= said->size;
    tr->history_bytes -= said->size;
    mem_put(said);
}

void tr_room_free(struct textroom *tr, struct tr_room *room)
{
    CHECK(list_is_empty(&room->members));
    while (room->history_count > 0)
        forget_oldest(tr, room);
    acl_fini(&room->acl);
    map_fini(&room->by_name);
    map_fini(&room->by_handle);
    mem_put(room->id);
    mem_put(room->description);
    mem_put(room->secret);
    mem_put(room->pin);
    mem_put(room->post);
    mem_put(room);
}

void tr_room_remember(struct textroom *tr, struct tr_room *room, struct view text)
{
    if (room->history_max == 0)
        return;
    while (room->history_count > 0 &&
           (room->history_count == room->history_max || room->history_bytes + text.size > TR_HISTORY_BYTES_MAX ||
            tr->history_bytes + text.size > TR_HISTORY_ALL_BYTES_MAX)) {
        tr->counters.forgotten += room->history_count < room->history_max;
        forget_oldest(tr, room);
    }
    if (text.size == 0 || tr->history_bytes + text.size > TR_HISTORY_ALL_BYTES_MAX) {
        tr->counters.forgotten++;
        return;
    }
    list_add_tail(&room->history, &tr_said_new(text)->node);
    room->history_count++;
    room->history_bytes += text.size;
    tr->history_bytes += text.size;
}

/* ---- who is in it ---- */

struct tr_member *tr_room_member(const struct textroom *tr, const struct tr_room *room, const struct tr_session *session)
{
    struct map_node *node = map_first(&room->by_handle, hash_handle(tr, session->handle));
    while (node != NULL && CONTAINER_OF(node, struct tr_member, by_handle)->session != session)
        node = map_next_same(node);
    return node == NULL ? NULL : CONTAINER_OF(node, struct tr_member, by_handle);
}

struct tr_member *tr_room_user(const struct textroom *tr, const struct tr_room *room, const char *name)
{
    struct map_node *node = map_first(&room->by_name, hash_text(tr, name));
    while (node != NULL && strcmp(CONTAINER_OF(node, struct tr_member, by_name)->name, name) != 0)
        node = map_next_same(node);
    return node == NULL ? NULL : CONTAINER_OF(node, struct tr_member, by_name);
}

struct tr_member *tr_member_join(struct textroom *tr, struct tr_session *session, struct tr_room *room, const char *name, const char *display)
{
    struct tr_member *member = mem_get_zero(sizeof(*member));
    member->room = room;
    member->session = session;
    member->name = text_copy(name);
    member->display = text_copy(display);
    list_add_tail(&room->members, &member->of_room);
    list_add_tail(&session->members, &member->of_session);
    map_add(&room->by_name, &member->by_name, hash_text(tr, name));
    map_add(&room->by_handle, &member->by_handle, hash_handle(tr, session->handle));
    session->member_count++;
    return member;
}

void tr_member_part(struct tr_member *member)
{
    struct tr_room *room = member->room;
    list_del(&member->of_room);
    list_del(&member->of_session);
    map_del(&room->by_name, &member->by_name);
    map_del(&room->by_handle, &member->by_handle);
    member->session->member_count--;
    mem_put(member->name);
    mem_put(member->display);
    mem_put(member);
}

/* ---- as they are written ---- */

void tr_write_id(const struct textroom *tr, struct json_out *j, const char *id)
{
    if (tr->string_ids)
        jout_string(j, "room", id);
    else
        jout_raw(j, "room", str_of(id));
}

void tr_write_user(struct json_out *j, const struct tr_member *member)
{
    jout_string(j, "username", member->name);
    if (member->display != NULL)
        jout_string(j, "display", member->display);
}
