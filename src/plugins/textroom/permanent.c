/* Rooms that outlive the server: a group of the configuration file each, and the file saved whole (textroom.md 6).
 *
 * Over the Janus API the answer waits for the disk. Over a data channel, or the Admin API, there is no request that could wait: the
 * answer says that the room is permanent once the save is under way, and a failure is logged. */
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/textroom/textroom.h"

#define CATEGORY_ROOM (TR_ID_TEXT_MAX + 8u)

/* What a request waits for. */
struct tr_saving {
    const char *what;               /* "created" ... */
    bool added;                     /* the group was not there before: it goes again when the file can't be saved */
    char id[];
};

static const char *category_of(const char *id, char out[CATEGORY_ROOM])
{
    snprintf(out, CATEGORY_ROOM, "room-%s", id);
    return out;
}

static void set_text(struct conf_node *group, const char *name, const char *text)
{
    if (text != NULL)
        conf_set_text(group, name, text);
}

static void write_group(struct conf_node *conf, const struct tr_room *room)
{
    char category[CATEGORY_ROOM];
    struct conf_node *group = conf_set_group(conf, category_of(room->id, category));
    conf_set_text(group, "description", room->description);
    if (room->is_private)
        conf_set_bool(group, "is_private", true);
    else
        conf_del(group, "is_private");
    set_text(group, "secret", room->secret);
    set_text(group, "pin", room->pin);
    if (room->history_max > 0)
        conf_set_u64(group, "history", room->history_max);
    set_text(group, "post", room->post);
}

enum tr_error tr_check_permanent(struct tr_call *call, const char *what)
{
    if (!field_bool(call->body, "permanent", false) || host_conf(call->tr->host) != NULL)
        return TR_OK;
    return tr_fail(call, TR_UNKNOWN, "No configuration file, can't %s", what);
}

static void write_answer(struct tr_call *call, const char *what, const char *id, bool permanent)
{
    tr_answer(call, what);
    tr_write_id(call->tr, &call->j, id);
    jout_bool(&call->j, "permanent", permanent);
}

static bool begin_save(struct tr_call *call, const char *what, const char *id, bool added)
{
    struct host *host = call->tr->host;
    if (call->origin != TR_API)
        return host_conf_save(host, NULL, NULL) == ERR_NONE;
    size_t size = strlen(id) + 1;
    struct tr_saving *saving = mem_get(sizeof(*saving) + size);
    *saving = (struct tr_saving){.what = what, .added = added};
    memcpy(saving->id, id, size);
    call->waits = host_conf_save(host, call->request, saving) == ERR_NONE;
    if (!call->waits)
        mem_put(saving);
    return call->waits;
}

void tr_answer_room(struct tr_call *call, const char *what, const struct tr_room *room, bool gone)
{
    char category[CATEGORY_ROOM];
    struct conf_node *conf = host_conf(call->tr->host);
    bool permanent = field_bool(call->body, "permanent", false);
    if (permanent) {
        const bool added = !gone && conf_get(conf, category_of(room->id, category)) == NULL;
        if (gone)
            conf_del(conf, category_of(room->id, category));
        else
            write_group(conf, room);
        permanent = begin_save(call, what, room->id, added);
        if (!permanent && added)
            conf_del(conf, category);
    }
    if (!call->waits)
        write_answer(call, what, room->id, permanent);
}

/* The disk has answered, or the request's time is up (then it may or may not have been saved; it is not claimed). */
enum plugin_outcome tr_resume(void *plugin, void *state, const struct plugin_request *request, const struct plugin_answer *answer)
{
    struct textroom *tr = plugin;
    struct tr_saving *saving = answer->data;
    const bool saved = answer->status == ERR_NONE;
    char category[CATEGORY_ROOM];
    struct tr_call call = {.tr = tr, .session = state, .request = request, .origin = TR_API, .body = request->body, .understood = true};
    if (!saved)
        host_log(tr->host, 3, "TextRoom: the configuration file could not be saved: %s", answer->text == NULL ? "no answer" : answer->text);
    if (answer->status == ERR_IO && saving->added)
        conf_del(host_conf(tr->host), category_of(saving->id, category));
    tr_call_begin(&call);
    write_answer(&call, saving->what, saving->id, saved);
    tr_finish(&call);
    buf_add_view(host_reply(tr->host), buf_view(&call.text));
    tr_call_end(&call);
    mem_put(saving);
    return PLUGIN_SYNC;
}
