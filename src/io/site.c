#include "io/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/limits.h"

static const struct {
    const char *ending;
    const char *type;
} types[] = {
    {".html", "text/html; charset=utf-8"}, {".htm", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"}, {".css", "text/css; charset=utf-8"}, {".json", "application/json"},
    {".map", "application/json"}, {".txt", "text/plain; charset=utf-8"}, {".md", "text/plain; charset=utf-8"},
    {".svg", "image/svg+xml"}, {".png", "image/png"}, {".jpg", "image/jpeg"}, {".jpeg", "image/jpeg"}, {".gif", "image/gif"},
    {".webp", "image/webp"}, {".ico", "image/x-icon"}, {".woff", "font/woff"}, {".woff2", "font/woff2"}, {".wasm", "application/wasm"},
    {".mp3", "audio/mpeg"}, {".ogg", "audio/ogg"}, {".opus", "audio/ogg"}, {".wav", "audio/wav"}, {".mp4", "video/mp4"},
    {".webm", "video/webm"}, {".webmanifest", "application/manifest+json"},
};

static const char *type_of(struct view path)
{
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        size_t size = strlen(types[i].ending);
        if (path.size > size && str_equal_nocase(VIEW(path.data + path.size - size, size), str_of(types[i].ending)))
            return types[i].type;
    }
    return "application/octet-stream";
}

void site_init(struct site *site)
{
    *site = (struct site){0};
}

void site_fini(struct site *site)
{
    for (uint32_t i = 0; i < site->count; i++) {
        mem_put(site->files[i].path);
        mem_put((void *)(uintptr_t)site->files[i].content.data);
    }
    mem_put(site->files);
    site_init(site);
}

enum site_added site_add(struct site *site, const char *path, uint8_t *content, size_t size)
{
    static const struct hash_key key = {0, 0};       /* a fixed one: tags survive restarts, and only the operator feeds it */
    size_t path_size = strlen(path);
    if (path_size >= SITE_PATH_MAX)
        return SITE_PATH_TOO_LONG;
    if (site->count == SITE_FILES_MAX || size > SITE_BYTES_MAX - site->bytes)
        return SITE_FULL;
    if (site->count == site->room) {
        site->room = site->room == 0 ? 64 : site->room * 2;
        site->files = mem_resize(site->files, site->room * sizeof(*site->files));
    }
    struct site_file *file = &site->files[site->count++];
    *file = (struct site_file){.content = VIEW(content, size), .type = type_of(VIEW(path, path_size))};
    file->path = mem_get(path_size + 1);
    memcpy(file->path, path, path_size + 1);
    snprintf(file->etag, sizeof(file->etag), "\"%016llx\"", (unsigned long long)hash_bytes(&key, file->content));
    site->bytes += size;
    return SITE_ADDED;
}

static int by_path(const void *a, const void *b)
{
    const struct site_file *fa = a, *fb = b;
    return strcmp(fa->path, fb->path);
}

void site_seal(struct site *site)
{
    if (site->count > 0)
        qsort(site->files, site->count, sizeof(*site->files), by_path);
}

static const struct site_file *look_up(const struct site *site, char *path)
{
    struct site_file key = {.path = path};
    return site->count == 0 ? NULL : bsearch(&key, site->files, site->count, sizeof(*site->files), by_path);
}

enum site_found site_find(const struct site *site, struct view path, const struct site_file **file)
{
    char text[SITE_PATH_MAX + sizeof("/index.html")];
    *file = NULL;
    if (path.size == 0 || path.size >= SITE_PATH_MAX || !str_copy(text, sizeof(text), path))
        return SITE_NOTHING;
    bool folder = text[path.size - 1] == '/';
    if (!folder && (*file = look_up(site, text)) != NULL)
        return SITE_FILE;
    memcpy(text + path.size, folder ? "index.html" : "/index.html", sizeof("/index.html") - (folder ? 1 : 0));
    *file = look_up(site, text);
    if (*file == NULL)
        return SITE_NOTHING;
    return folder ? SITE_FILE : SITE_FOLDER;
}
