/* base/conf.h - configuration files: `.jcfg` (the libconfig dialect) and `.cfg` (INI), read into a tree and written back
 * (config-core.md 2). Pure: text in, tree out; an @include asks a callback for its text. Owner: whoever parsed it.
 *
 * Every scalar is text: integers in decimal (64 bit, signed or unsigned), reals with six decimals, booleans as "true" and
 * "false"; consumers parse again, so quoted and bare values are the same. Names are found without regard to case; a later
 * duplicate replaces the earlier one's value. Arrays and lists are one kind.
 *
 * Beyond libconfig: names may be quoted strings ("room-a b.c": {...}), so every room name that we write can be read again;
 * after a string value, a quoted name needs a `;` before it, or the two are joined (as libconfig joins strings).
 * Kept from it: a syntax error makes the whole file unusable. Lost when written back: comments and the form of numbers.
 * An @include may stand where a setting may, not inside a value. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#define CONF_TEXT_MAX    (4u * 1024u * 1024u)   /* bytes of one file, and of all files with their includes */
#define CONF_DEPTH_MAX   32u                    /* groups and lists inside each other */
#define CONF_INCLUDE_MAX 10u                    /* files inside each other */
#define CONF_NODES_MAX   500000u
#define CONF_NAME_MAX    512u

enum conf_format { CONF_JCFG, CONF_INI };
enum conf_kind { CONF_STRING, CONF_INTEGER, CONF_REAL, CONF_BOOLEAN, CONF_GROUP, CONF_LIST };

struct conf_node;       /* a scalar, group or list; lives as long as its tree */

struct conf_error {
    uint32_t line;              /* 1 is the first; in the file named by `file` */
    char file[128];             /* the included file; "" for the text that was given */
    char text[160];
};

/* Appends the text of an included file to `out`; false when it can't be had. */
struct conf_includes {
    bool (*read)(void *owner, const char *path, struct buf *out);
    void *owner;
};

/* NULL, and *error filled, when the text breaks the grammar or a limit. `includes` may be NULL: an @include is then an error. */
struct conf_node *conf_parse(struct view text, enum conf_format format, const struct conf_includes *includes, struct conf_error *error);
struct conf_node *conf_new(void);               /* an empty group */
void conf_free(struct conf_node *root);         /* NULL is fine */
enum conf_format conf_format_of(const char *path);     /* by the base name: ".jcfg" anywhere in it, else INI */

/* -- reading. `group` may be NULL, and any kind: what isn't there isn't found. */
const struct conf_node *conf_get(const struct conf_node *group, const char *name);
/* A path of names, for example conf_path(root, "nat", "stun_server", NULL). */
const struct conf_node *conf_path(const struct conf_node *root, ...) __attribute__((sentinel));

enum conf_kind conf_kind(const struct conf_node *node);
const char *conf_name(const struct conf_node *node);    /* "" for list items and roots */
uint32_t conf_line(const struct conf_node *node);       /* where it was read; 0: made by us */
bool conf_is_scalar(const struct conf_node *node);      /* false for NULL */
uint32_t conf_count(const struct conf_node *node);      /* children of a group or list, else 0 */
const struct conf_node *conf_at(const struct conf_node *node, uint32_t index);     /* NULL: past the end */

/* Values of `name` in `group`. Absent, or no scalar: the fallback. */
const char *conf_text(const struct conf_node *group, const char *name, const char *fallback);
const char *conf_text_given(const struct conf_node *group, const char *name);     /* NULL when it is missing or empty */
bool conf_bool(const struct conf_node *group, const char *name, bool fallback);    /* yes, true, 1; all else is false */
int conf_int(const struct conf_node *group, const char *name, int fallback);       /* atoi: garbage is 0; saturates */
int64_t conf_i64(const struct conf_node *group, const char *name, int64_t fallback);     /* the same, 64 bit */
/* Strict, for ports: the whole text is a number up to 65535. False: absent (*out is the fallback) is true, garbage is false. */
bool conf_port(const struct conf_node *group, const char *name, uint16_t fallback, uint16_t *out);

/* The same for a node in hand; "" and false for what is no scalar. */
const char *conf_value(const struct conf_node *node);
bool conf_value_bool(const struct conf_node *node);
int64_t conf_value_i64(const struct conf_node *node);

/* -- changing: a name that exists keeps its place and gets the new value. */
void conf_set_text(struct conf_node *group, const char *name, const char *text);
void conf_set_i64(struct conf_node *group, const char *name, int64_t value);
void conf_set_u64(struct conf_node *group, const char *name, uint64_t value);
void conf_set_bool(struct conf_node *group, const char *name, bool value);
struct conf_node *conf_set_group(struct conf_node *group, const char *name);    /* the one that is there, or a new empty one */
struct conf_node *conf_set_list(struct conf_node *group, const char *name);     /* always emptied */
struct conf_node *conf_add_group(struct conf_node *list);
void conf_add_text(struct conf_node *list, const char *text);
void conf_del(struct conf_node *group, const char *name);

/* Appends the tree as .jcfg, in order. What doesn't fit shows in out->failed. */
void conf_write(const struct conf_node *root, struct buf *out);
