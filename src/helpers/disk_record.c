/* Recordings: files that are written chunk by chunk, as workers bring them. A chunk holds whole frames: what can't be written whole is
 * cut off again, so that the file is readable at any time. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "helpers/disk_private.h"
#include "msg/control.h"
#include "msg/worker.h"
#include "runtime/log.h"
#include "runtime/storage.h"

#define FOLDER_NEW_MAX 255u             /* bytes of a folder that has to be made (recording.md 2.2) */
#define RECORD_SUFFIX  ".mjr"

/* One recording that is open, or broken and not closed yet. */
struct record_file {
    struct map_node node;               /* by its name */
    struct ref name;
    int fd;                             /* -1: broken */
    uint64_t size;                      /* of the file, whole chunks */
    char path[STORAGE_PATH_MAX];        /* what it will be called */
    char open_path[STORAGE_PATH_MAX];   /* what it is called while it is open */
};

static const struct hash_key no_key;    /* control mints the names: no stranger chooses them */

static struct record_file *find(struct disk *disk, struct ref name)
{
    for (struct map_node *node = map_first(&disk->records, hash_u64(&no_key, ref_pack(name))); node != NULL; node = map_next_same(node)) {
        struct record_file *record = CONTAINER_OF(node, struct record_file, node);
        if (ref_equal(record->name, name))
            return record;
    }
    return NULL;
}

static void forget(struct disk *disk, struct record_file *record)
{
    map_del(&disk->records, &record->node);
    pool_put(&disk->pool, record);
}

static void tell_done(struct disk *disk, struct ref name, uint64_t bytes, uint64_t gaps, const char *error)
{
    struct record_done done = {.record = name, .fine = error == NULL, .bytes = bytes, .gaps = gaps};
    if (error != NULL)
        snprintf(done.error, sizeof(done.error), "%s", error);
    actor_send(disk->actor, ACTOR_CONTROL, CONTROL_RECORD_DONE, &done, sizeof(done));
}

static bool is_protected(const struct disk *disk, const char *folder)
{
    for (uint32_t i = 0; i < disk->options.protected_count; i++) {
        const char *prefix = disk->options.protected_folders[i];
        if (strncmp(folder, prefix, strlen(prefix)) == 0)
            return true;
    }
    return false;
}

/* False: `why` says it. */
static bool make_paths(const struct disk *disk, struct record_file *record, const char *folder, const char *name, char why[DISK_ERROR_TEXT])
{
    char real[STORAGE_PATH_MAX];
    const char *ext = disk->options.recordings_tmp_ext;
    int error = storage_resolve(folder, real);
    if (error == ENOENT && strlen(folder) <= FOLDER_NEW_MAX) {
        error = storage_make_folder(folder);
        if (error == 0)
            error = storage_resolve(folder, real);
    }
    if (error != 0) {
        disk_explain(why, error);
        return false;
    }
    if (is_protected(disk, real)) {
        snprintf(why, DISK_ERROR_TEXT, "its folder is protected");
        return false;
    }
    int size = snprintf(record->path, sizeof(record->path), "%s/%s" RECORD_SUFFIX, folder, name);
    if (size > 0 && (size_t)size < sizeof(record->path))
        size = snprintf(record->open_path, sizeof(record->open_path), "%s%s%s", record->path, ext == NULL ? "" : ".", ext == NULL ? "" : ext);
    if (size > 0 && (size_t)size < sizeof(record->open_path))
        return true;
    disk_explain(why, ENAMETOOLONG);
    return false;
}

static bool open_record(const struct disk *disk, struct record_file *record, const struct disk_record_open *order, char why[DISK_ERROR_TEXT])
{
    const char *folder = order->text, *name = order->text + order->folder_size;
    record->fd = -1;
    if (!make_paths(disk, record, folder[0] == '\0' ? "." : folder, name, why))
        return false;
    int error = storage_create(record->open_path, NULL, &record->fd);
    if (error == 0)
        return true;
    record->fd = -1;
    disk_explain(why, error);
    return false;
}

void disk_on_record_open(struct disk *disk, const struct disk_record_open *order)
{
    char why[DISK_ERROR_TEXT] = "too many recordings are open";
    struct record_file *record = find(disk, order->record) == NULL ? pool_get(&disk->pool) : NULL;
    if (record == NULL || !open_record(disk, record, order, why)) {
        pool_put(&disk->pool, record);
        disk->counters.records_refused++;
        LOG_ERR(disk->actor, "%s/%s is not recorded: %s", order->text, order->text + order->folder_size, why);
        tell_done(disk, order->record, 0, 0, why);
        return;
    }
    record->name = order->record;
    map_add(&disk->records, &record->node, hash_u64(&no_key, ref_pack(record->name)));
    disk->counters.records_opened++;
}

static void break_record(struct disk *disk, struct record_file *record, int error)
{
    char why[DISK_ERROR_TEXT];
    disk_explain(why, error);
    disk->counters.records_broken++;
    LOG_ERR(disk->actor, "Recording %s ends early, after %llu bytes: %s", record->path, (unsigned long long)record->size, why);
    (void)storage_cut(record->fd, record->size);        /* whole frames stay */
    (void)storage_close(record->fd);
    record->fd = -1;
    if (strcmp(record->open_path, record->path) != 0)
        (void)storage_rename(record->open_path, record->path);
    tell_done(disk, record->name, record->size, 0, why);
}

void disk_on_record_write(struct disk *disk, actor_id from, const struct disk_record_write *order)
{
    struct record_file *record = find(disk, order->record);
    const struct record_written told = {order->size};
    size_t written = 0;
    if (record == NULL || record->fd < 0) {
        disk->counters.bytes_lost += order->size;
    } else {
        int error = storage_write(record->fd, VIEW(order->bytes, order->size), &written);
        if (error != 0) {
            disk->counters.bytes_lost += order->size;
            break_record(disk, record, error);
        } else {
            record->size += order->size;
            disk->counters.bytes_written += order->size;
        }
    }
    actor_send(disk->actor, from, WORKER_RECORD_WRITTEN, &told, sizeof(told));
}

static void close_record(struct disk *disk, struct record_file *record, uint64_t gaps)
{
    if (record->fd >= 0) {
        char why[DISK_ERROR_TEXT];
        int error = storage_close(record->fd);
        if (error == 0 && strcmp(record->open_path, record->path) != 0)
            error = storage_rename(record->open_path, record->path);
        if (error != 0)
            disk_explain(why, error);
        if (error != 0 || gaps > 0)
            LOG_WARN(disk->actor, "Recording %s has %llu gaps%s%s", record->path, (unsigned long long)gaps, error != 0 ? "; " : "",
                     error != 0 ? why : "");
        tell_done(disk, record->name, record->size, gaps, error != 0 ? why : NULL);
    }
    forget(disk, record);
}

void disk_on_record_close(struct disk *disk, const struct disk_record_close *order)
{
    struct record_file *record = find(disk, order->record);
    if (record != NULL)
        close_record(disk, record, order->gaps);
}

bool disk_open_fits(const struct message *m)
{
    const struct disk_record_open *order = m->payload;
    return m->size >= sizeof(*order) && order->folder_size > 0 && order->name_size > 0 &&
           m->size - sizeof(*order) == (size_t)order->folder_size + order->name_size && order->text[order->folder_size - 1] == '\0' &&
           order->text[order->folder_size + order->name_size - 1] == '\0';
}

bool disk_write_fits(const struct message *m)
{
    const struct disk_record_write *order = m->payload;
    return m->size >= sizeof(*order) && m->size - sizeof(*order) == order->size;
}

void disk_records_init(struct disk *disk)
{
    map_init(&disk->records);
    pool_init(&disk->pool, "recordings", sizeof(struct record_file), RECORDINGS_MAX * 2u);
}

void disk_records_close(struct disk *disk)
{
    struct map_node *next;
    for (struct map_node *node = map_each(&disk->records, NULL); node != NULL; node = next) {
        next = map_each(&disk->records, node);
        close_record(disk, CONTAINER_OF(node, struct record_file, node), 0);
    }
}

void disk_records_fini(struct disk *disk)
{
    map_fini(&disk->records);
    pool_fini(&disk->pool);
}
