/* Rooms that outlive the server (videoroom.md 2.4): a group of the configuration file each, and the file saved whole. The room itself is
 * made, changed or gone at once; the answer waits for the disk, and says whether it has been saved. Through the Admin API nothing can
 * wait: the answer says that the save is under way, and a failure is in the log. */
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/requests.h"

#define CATEGORY_ROOM (VR_ID_SHOWN + 8u)

struct save_job {
    struct vr_job base;
    const char *what;                   /* "created" ... */
    struct vr_id id;
    bool added;                         /* the group is new: it goes again when the file can't be saved */
};

enum vr_error vr_check_permanent(struct vr_call *call, const char *what)
{
    if (!vr_bool(call->body, "permanent", false) || host_conf(call->vr->host) != NULL)
        return VR_OK;
    return vr_fail(call, VR_UNKNOWN, "No configuration file, can't %s", what);
}

/* What the room's group is called: as it is there, with or without "room-", else with it. Names in the file have no case, those of rooms
 * have: false when another room has taken the name. */
static bool find_category(const struct conf_node *conf, const struct vr_id *id, char out[CATEGORY_ROOM])
{
    char shown[VR_ID_SHOWN];
    vr_id_show(id, shown);
    const struct conf_node *bare = str_equal_nocase(str_of(shown), STR("general")) ? NULL : conf_get(conf, shown);
    snprintf(out, CATEGORY_ROOM, "room-%s", shown);
    const struct conf_node *prefixed = conf_get(conf, out);
    if (prefixed != NULL)
        return strcmp(conf_name(prefixed), out) == 0;
    if (bare != NULL && conf_kind(bare) == CONF_GROUP && strcmp(conf_name(bare), shown) == 0)
        snprintf(out, CATEGORY_ROOM, "%s", shown);
    return true;
}

static void set_text(struct conf_node *group, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        conf_set_text(group, name, text);
}

static void set_true(struct conf_node *group, const char *name, bool value)
{
    if (value)
        conf_set_bool(group, name, true);
}

static void set_codecs(struct conf_node *group, const char *name, const uint8_t codecs[VR_CODECS_MAX])
{
    struct buf text;
    buf_init(&text, 256);
    for (unsigned i = 0; i < VR_CODECS_MAX; i++)
        if (codecs[i] != CODEC_NONE)
            buf_addf(&text, "%s%s", text.size > 0 ? "," : "", codec_info((enum codec)codecs[i])->name);
    conf_set_text(group, name, buf_text(&text));
    buf_fini(&text);
}

static void write_audio(struct conf_node *group, const struct vr_room *room)
{
    bool has_opus;
    vr_room_allows(room->audio_codecs, CODEC_OPUS, &has_opus);
    set_codecs(group, "audiocodec", room->audio_codecs);
    if (has_opus)
        conf_set_bool(group, "opus_fec", room->opus_fec);       /* false too: it would come back as true */
    set_true(group, "opus_dtx", room->opus_dtx);
    if (room->audiolevel_ext)
        conf_set_bool(group, "audiolevel_ext", true);
    else
        conf_set_text(group, "audiolevel_ext", "no");
    if (!room->audiolevel_event)
        return;
    conf_set_bool(group, "audiolevel_event", true);
    conf_set_u64(group, "audio_active_packets", room->audio_active_packets);
    conf_set_u64(group, "audio_level_average", room->audio_level_average);
}

static void write_video(struct conf_node *group, const struct vr_room *room)
{
    set_codecs(group, "videocodec", room->video_codecs);
    set_text(group, "vp9_profile", room->vp9_profile);
    set_text(group, "h264_profile", room->h264_profile);
    conf_set_bool(group, "videoorient_ext", room->videoorient_ext);
    conf_set_bool(group, "playoutdelay_ext", room->playoutdelay_ext);
    conf_set_bool(group, "transport_wide_cc_ext", room->twcc_ext);
    if (room->fir_freq_s > 0)
        conf_set_u64(group, "fir_freq", room->fir_freq_s);
}

/* All of it anew, at the place where it is. */
static void write_group(struct conf_node *conf, const char *category, const struct vr_room *room)
{
    struct conf_node *group = conf_set_group(conf, category);
    while (conf_count(group) > 0)
        conf_del(group, conf_name(conf_at(group, 0)));
    conf_set_text(group, "description", room->description);
    set_true(group, "is_private", room->is_private);
    set_text(group, "secret", room->secret);
    set_text(group, "pin", room->pin);
    set_true(group, "require_pvtid", room->require_pvtid);
    set_true(group, "signed_tokens", room->signed_tokens);
    set_true(group, "require_e2ee", room->require_e2ee);
    conf_set_u64(group, "publishers", room->publishers_max);
    conf_set_u64(group, "bitrate", room->bitrate_bps);
    set_true(group, "bitrate_cap", room->bitrate_cap);
    write_audio(group, room);
    write_video(group, room);
    set_true(group, "record", room->record);
    set_text(group, "rec_dir", room->rec_dir);
    set_true(group, "lock_record", room->lock_record);
    set_true(group, "notify_joining", room->notify_joining);
    set_true(group, "dummy_publisher", room->dummy_publisher);
}

static enum vr_error answer(struct vr_call *call, const char *what, const struct vr_id *id, bool permanent)
{
    jout_string(&call->j, "videoroom", what);
    vr_id_write(&call->j, "room", id);
    jout_bool(&call->j, "permanent", permanent);
    return VR_OK;
}

/* The disk has answered; or it has not, in time: what is not known to be saved is not claimed to be. */
static enum vr_error saved(struct vr_call *call)
{
    struct save_job *job = (void *)call->job;
    struct conf_node *conf = host_conf(call->vr->host);
    char category[CATEGORY_ROOM];
    const bool fine = call->answer->status == ERR_NONE;
    if (!fine)
        host_log(call->vr->host, 2, "VideoRoom: the configuration file could not be saved: %s",
                 call->answer->text == NULL ? "no answer in time" : call->answer->text);
    if (call->answer->status == ERR_IO && job->added && find_category(conf, &job->id, category))
        conf_del(conf, category);
    enum vr_error error = answer(call, job->what, &job->id, fine);
    vr_id_free(&job->id);
    mem_put(job);
    return error;
}

static bool begin_save(struct vr_call *call, const char *what, const struct vr_id *id, bool added)
{
    if (call->request->admin)
        return host_conf_save(call->vr->host, NULL, NULL) == ERR_NONE;
    struct save_job *job = mem_get(sizeof(*job));
    *job = (struct save_job){.base = {saved}, .what = what, .id = vr_id_copy(id), .added = added};
    call->waits = host_conf_save(call->vr->host, call->request, job) == ERR_NONE;
    if (!call->waits) {
        vr_id_free(&job->id);
        mem_put(job);
    }
    return call->waits;
}

enum vr_error vr_answer_room(struct vr_call *call, const char *what, const struct vr_room *room, bool gone)
{
    struct conf_node *conf = host_conf(call->vr->host);
    char category[CATEGORY_ROOM];
    bool permanent = vr_bool(call->body, "permanent", false) && find_category(conf, &room->id, category);
    if (permanent) {
        const bool added = !gone && conf_get(conf, category) == NULL;
        if (gone)
            conf_del(conf, category);
        else
            write_group(conf, category, room);
        permanent = begin_save(call, what, &room->id, added);
        if (!permanent && added)
            conf_del(conf, category);
    }
    return call->waits ? VR_OK : answer(call, what, &room->id, permanent);
}
