#include "helpers/disk.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "helpers/disk_private.h"

void disk_explain(char out[DISK_ERROR_TEXT], const char *what, int error)
{
    char text[100];
    snprintf(out, DISK_ERROR_TEXT, "%.90s: %.90s", what, strerror_r(error, text, sizeof(text)));
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
    default:
        break;
    }
    disk->counters.malformed += !fits;
    actor_flush(disk->actor);           /* the next one may take long */
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

const struct actor_ops disk_ops = {.on_message = on_message, .type_name = type_name, .may_block = true};

struct disk *disk_new(struct actor *actor)
{
    struct disk *disk = mem_get_zero(sizeof(*disk));
    disk->actor = actor;
    return disk;
}

void disk_free(struct disk *disk)
{
    mem_put(disk);
}

const struct disk_counters *disk_counters(const struct disk *disk)
{
    return &disk->counters;
}
