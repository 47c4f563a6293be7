#include "helpers/disk.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "helpers/disk_private.h"

void disk_explain(char out[DISK_ERROR_TEXT], int error)
{
    char text[DISK_ERROR_TEXT];
    snprintf(out, DISK_ERROR_TEXT, "%s", strerror_r(error, text, sizeof(text)));
}

static void on_message(void *owner, usec_t now, const struct message *m)
{
    struct disk *disk = owner;
    (void)now;
    bool fits = false;
    switch (m->type) {
    case DISK_SAVE:
        if ((fits = disk_save_fits(m)))
            disk_on_save(disk, m);
        break;
    case DISK_RECORD_OPEN:
        if ((fits = disk_open_fits(m)))
            disk_on_record_open(disk, m->payload);
        break;
    case DISK_RECORD_WRITE:
        if ((fits = disk_write_fits(m)))
            disk_on_record_write(disk, m->from, m->payload);
        break;
    case DISK_RECORD_CLOSE:
        if ((fits = m->size == sizeof(struct disk_record_close)))
            disk_on_record_close(disk, m->payload);
        break;
    default:
        break;
    }
    disk->counters.malformed += !fits;
    actor_flush(disk->actor);           /* the next one may take long */
}

static void on_stop(void *owner, usec_t now)
{
    struct disk *disk = owner;
    (void)now;
    disk_records_close(disk);           /* what no worker has closed */
    actor_stop(disk->actor);
}

static const char *type_name(uint16_t type)
{
    switch ((enum disk_message)type) {
    case DISK_NONE: return "none";
#define X(name, from, payload) case DISK_##name: return #name;
    DISK_MESSAGES(X)
#undef X
    }
    return "unknown";
}

const struct actor_ops disk_ops = {.on_message = on_message, .on_stop = on_stop, .type_name = type_name, .may_block = true};

struct disk *disk_new(struct actor *actor, const struct disk_options *options)
{
    struct disk *disk = mem_get_zero(sizeof(*disk));
    disk->actor = actor;
    disk->options = *options;
    disk_records_init(disk);
    return disk;
}

void disk_free(struct disk *disk)
{
    if (disk == NULL)
        return;
    disk_records_close(disk);
    disk_records_fini(disk);
    mem_put(disk);
}

const struct disk_counters *disk_counters(const struct disk *disk)
{
    return &disk->counters;
}
