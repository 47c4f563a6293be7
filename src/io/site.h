/* io/site.h - the web folder, read into memory at start: a table of paths, so a request can name nothing else.
 * Owner: io; read-only once it is complete. Made by site_load (site_load.c) or by site_add, then site_seal. */
#pragma once

#include "base/buf.h"

#define SITE_ETAG_TEXT 24u

struct site_file {
    char *path;                  /* "/demos/index.html" */
    const char *type;            /* Content-Type */
    struct view content;
    char etag[SITE_ETAG_TEXT];   /* quotes included; of the content, so a restart changes nothing */
};

struct site {
    struct site_file *files;     /* by path, once sealed */
    uint32_t count;
    uint32_t room;
    size_t bytes;
};

enum site_added { SITE_ADDED, SITE_PATH_TOO_LONG, SITE_FULL };

void site_init(struct site *site);
void site_fini(struct site *site);
/* The content's memory (from mem_get) goes to the site only when it is added. */
enum site_added site_add(struct site *site, const char *path, uint8_t *content, size_t size);
void site_seal(struct site *site);

enum site_found { SITE_NOTHING, SITE_FILE, SITE_FOLDER };     /* a folder asked for without its last '/' */

/* `path` is decoded. A path that ends in '/' means index.html below it. */
enum site_found site_find(const struct site *site, struct view path, const struct site_file **file);

/* Reads every file below `folder`, but none whose name begins with a dot; links to files are followed, links to folders are
 * not. False: nothing could be read at all. What was left out is told, a line each, in `notes`. Start-up only. */
bool site_load(struct site *site, const char *folder, struct buf *notes);
