/* runtime/file.h - whole small files, read at start-up; files at run time belong to the disk helper. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Appends the file to `out`. ERR_FULL: longer than the buffer's limit; ERR_IO: errno (a folder is EISDIR). */
enum err file_read(const char *path, struct buf *out);
