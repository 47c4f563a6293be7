/* The web folder from disk. Runs once, on the main thread, before any actor does: it may block. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "io/limits.h"
#include "io/site.h"
#include "runtime/file.h"

struct walk {
    struct site *site;
    struct buf *notes;
    size_t root;                 /* length of the folder's own name: what follows it is the path on the site */
    char path[4096];
};

static void note(struct walk *walk, const char *why)
{
    buf_addf(walk->notes, "%s: %s\n", walk->path, why);
}

static void add_file(struct walk *walk)
{
    struct buf content;
    buf_init(&content, SITE_FILE_BYTES_MAX);
    enum err err = file_read(walk->path, &content);
    if (err != ERR_NONE) {
        note(walk, err == ERR_FULL ? "too large" : strerror(errno));
        buf_fini(&content);
        return;
    }
    size_t size;
    uint8_t *data = buf_take(&content, &size);
    if (size > 0)
        data = mem_resize(data, size);       /* it grew by doubling, and stays as long as the process */
    enum site_added added = site_add(walk->site, walk->path + walk->root, data, size);
    if (added == SITE_ADDED)
        return;
    note(walk, added == SITE_FULL ? "too many files or bytes" : "path too long");
    mem_put(data);
}

static bool add_folder(struct walk *walk, size_t at, unsigned depth);

/* walk->path names an entry of `at` bytes. */
static void add_entry(struct walk *walk, size_t at, unsigned depth)
{
    struct stat own, meant;
    if (lstat(walk->path, &own) != 0 || stat(walk->path, &meant) != 0)
        note(walk, strerror(errno));
    else if (S_ISREG(meant.st_mode))
        add_file(walk);
    else if (S_ISDIR(own.st_mode) && depth < SITE_DEPTH_MAX)
        add_folder(walk, at, depth + 1);
    else
        note(walk, S_ISDIR(own.st_mode) ? "too deep" : "neither a file nor a folder");
}

static bool add_folder(struct walk *walk, size_t at, unsigned depth)
{
    DIR *folder = opendir(walk->path);
    if (folder == NULL) {
        note(walk, strerror(errno));
        return false;
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        size_t room = sizeof(walk->path) - at;
        int size = snprintf(walk->path + at, room, "/%s", entry->d_name);
        if (size > 0 && (size_t)size < room)
            add_entry(walk, at + (size_t)size, depth);
        walk->path[at] = '\0';
    }
    closedir(folder);
    return true;
}

bool site_load(struct site *site, const char *folder, struct buf *notes)
{
    struct walk walk = {.site = site, .notes = notes};
    size_t size = strlen(folder);
    while (size > 1 && folder[size - 1] == '/')
        size--;
    if (size == 0 || size >= sizeof(walk.path)) {
        buf_addf(notes, "no usable folder name\n");
        return false;
    }
    memcpy(walk.path, folder, size);
    walk.root = size;
    bool fine = add_folder(&walk, size, 0);
    site_seal(site);
    return fine;
}
