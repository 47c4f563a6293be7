/* Verbs that begin an operation (op.h). */
#include "control/host.h"

#include "base/mem.h"
#include "control/handle.h"
#include "control/op.h"
#include "control/out.h"
#include "msg/disk.h"

enum err host_file_save(struct host *host, const struct plugin_request *request, const char *path, struct view bytes, void *data)
{
    struct control *c = host->control;
    struct ref op;
    size_t path_size = strlen(path) + 1;
    enum err err = op_begin(c, handle_get(c, request->handle), data, &op);
    if (err != ERR_NONE)
        return err;
    struct disk_save *save = mem_get(sizeof(*save) + path_size + bytes.size);
    *save = (struct disk_save){.path_size = (uint32_t)path_size, .size = (uint32_t)bytes.size};
    memcpy(save->text, path, path_size);
    memcpy(save->text + path_size, bytes.data, bytes.size);
    out_op_block(c, (actor_id)(ACTOR_DISK_0 + disk_of(path)), DISK_SAVE, op, save, sizeof(*save) + path_size + bytes.size);
    return ERR_NONE;
}
