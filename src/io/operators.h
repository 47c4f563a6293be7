/* io/operators.h - the operators' page, in the program itself (scripts/embed.py makes operators_files.c of web/operators): it is there
 * wherever the server is. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct operators_file {
    const char *path;            /* "/operators/page.js"; index.html: "/operators/" */
    const char *type;
    const uint8_t *content;
    size_t size;
};

extern const struct operators_file operators_files[];
extern const size_t operators_file_count;
