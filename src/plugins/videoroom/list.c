/* `list`: at once when there are few rooms, else in turns over a snapshot of their names. A room that goes meanwhile is left out, one
 * that comes is not in it. What is half written takes memory, so a few are written at a time; the others wait. */
#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/requests.h"

struct list_job {
    struct vr_job base;
    bool all;                       /* private ones too */
    bool begun;
    struct buf text;                /* the answer so far */
    struct json_out j;
    uint32_t count, next;
    struct vr_id *ids;
};

static void write_one(struct videoroom *vr, struct json_out *j, struct vr_room *room, bool all)
{
    if (!room->is_private || all)
        jout_raw(j, NULL, str_of(vr_room_listed(vr, room)));
}

static enum vr_error list_now(struct vr_call *call, bool all)
{
    struct videoroom *vr = call->vr;
    jout_string(&call->j, "videoroom", "success");
    jout_array(&call->j, "list");
    for (struct map_node *n = map_each(&vr->rooms, NULL); n != NULL; n = map_each(&vr->rooms, n))
        write_one(vr, &call->j, CONTAINER_OF(n, struct vr_room, node), all);
    jout_end(&call->j);
    return VR_OK;
}

static void drop(struct videoroom *vr, struct list_job *job)
{
    vr->lists_open -= job->begun;
    buf_fini(&job->text);
    for (uint32_t i = 0; i < job->count; i++)
        vr_id_free(&job->ids[i]);
    mem_put(job->ids);
    mem_put(job);
}

static void begin(struct videoroom *vr, struct list_job *job)
{
    job->begun = true;
    vr->lists_open++;
    job->ids = mem_get_zero(vr->rooms.count * sizeof(*job->ids));
    for (struct map_node *n = map_each(&vr->rooms, NULL); n != NULL; n = map_each(&vr->rooms, n))
        job->ids[job->count++] = vr_id_copy(&CONTAINER_OF(n, struct vr_room, node)->id);
}

static void write_some(struct videoroom *vr, struct list_job *job)
{
    for (uint32_t n = 0; n < VR_LISTED_A_TURN && job->next < job->count; n++) {
        struct vr_room *room = vr_room_find(vr, &job->ids[job->next++]);
        if (room != NULL)
            write_one(vr, &job->j, room, job->all);
    }
}

/* The text changes hands: some megabytes are not copied once more. */
static enum vr_error finish(struct vr_call *call, struct list_job *job)
{
    jout_end(&job->j);                      /* the object itself is ended like any answer's */
    const struct buf empty = call->text;
    call->text = job->text;
    call->j = job->j;
    call->j.buf = &call->text;
    job->text = empty;
    drop(call->vr, job);
    return VR_OK;
}

static enum vr_error go_on(struct vr_call *call)
{
    struct list_job *job = CONTAINER_OF(call->job, struct list_job, base);
    if (call->answer->status == ERR_NONE) {
        if (!job->begun && call->vr->lists_open < VR_LISTS_MAX)
            begin(call->vr, job);
        else
            write_some(call->vr, job);
        if (job->begun && job->next == job->count)
            return finish(call, job);
        if (host_yield(call->vr->host, call->request, job) == ERR_NONE) {
            call->waits = true;
            return VR_OK;
        }
    }
    drop(call->vr, job);
    return vr_fail(call, VR_UNKNOWN, "Too many rooms are being listed");
}

enum vr_error vr_list_rooms(struct vr_call *call, bool all)
{
    struct videoroom *vr = call->vr;
    if (vr->rooms.count <= VR_LISTED_A_TURN || call->request->admin)
        return list_now(call, all);
    struct list_job *job = mem_get_zero(sizeof(*job));
    job->base.go_on = go_on;
    job->all = all;
    buf_init(&job->text, VR_EVENT_BYTES);
    jout_begin(&job->j, &job->text, LAYOUT_COMPACT);
    jout_object(&job->j, NULL);
    jout_string(&job->j, "videoroom", "success");
    jout_array(&job->j, "list");
    if (host_yield(vr->host, call->request, job) == ERR_NONE) {
        call->waits = true;
        return VR_OK;
    }
    drop(vr, job);
    return vr_fail(call, VR_UNKNOWN, "Too many requests are waiting");
}
