/* Verbs that begin an operation (op.h). */
#include "control/host.h"

#include <stdio.h>

#include "base/mem.h"
#include "control/handle.h"
#include "control/op.h"
#include "control/out.h"
#include "msg/disk.h"

/* A save that nobody waits for has no name; so many may be under way. */
static enum err save_unasked(struct control *c, struct ref *op)
{
    *op = REF_NONE;
    if (c->saves_unasked == SAVES_UNASKED_MAX)
        return ERR_FULL;
    c->saves_unasked++;
    return ERR_NONE;
}

enum err host_file_save(struct host *host, const struct plugin_request *request, const char *path, struct view bytes, void *data)
{
    struct control *c = host->control;
    struct ref op;
    size_t path_size = strlen(path) + 1;
    enum err err = request != NULL ? op_begin(c, handle_get(c, request->handle), data, &op) : save_unasked(c, &op);
    if (err != ERR_NONE)
        return err;
    struct disk_save *save = mem_get(sizeof(*save) + path_size + bytes.size);
    *save = (struct disk_save){.path_size = (uint32_t)path_size, .size = (uint32_t)bytes.size};
    memcpy(save->text, path, path_size);
    memcpy(save->text + path_size, bytes.data, bytes.size);
    out_op_block(c, (actor_id)(ACTOR_DISK_0 + disk_of(path)), DISK_SAVE, op, save, sizeof(*save) + path_size + bytes.size);
    return ERR_NONE;
}

enum err host_yield(struct host *host, const struct plugin_request *request, void *data)
{
    struct control *c = host->control;
    return op_begin_yield(c, handle_get(c, request->handle), data);
}

struct conf_node *host_conf(struct host *host)
{
    return host->conf;
}

#define CONF_PATH_ROOM 1024u

enum err host_conf_save(struct host *host, const struct plugin_request *request, void *data)
{
    char path[CONF_PATH_ROOM];
    struct buf text;
    if (host->conf == NULL)
        return ERR_STATE;
    int size = snprintf(path, sizeof(path), "%s/%s.jcfg", host->control->settings->configs_folder, host->desc->package);
    if (size < 0 || (size_t)size >= sizeof(path))
        return ERR_INVALID;
    buf_init(&text, CONF_TEXT_MAX);
    conf_write(host->conf, &text);
    enum err err = text.failed ? ERR_INVALID : host_file_save(host, request, path, buf_view(&text), data);
    buf_fini(&text);
    return err;
}
