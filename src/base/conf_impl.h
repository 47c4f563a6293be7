/* base/conf_impl.h - what conf.c, conf_parse.c and conf_write.c share. Nobody else includes it. */
#pragma once

#include "base/conf.h"
#include "base/map.h"

struct conf_node {
    char *name;                 /* NULL: list items and roots */
    char *value;                /* scalars */
    struct conf_node **children;
    uint32_t count;
    uint32_t room;
    uint32_t place;             /* in its parent's children */
    struct map index;           /* groups: children by name without case */
    struct map_node link;       /* in its parent's index */
    uint32_t line;
    enum conf_kind kind;
};

struct conf_node *conf_node_new(enum conf_kind kind, struct view name, struct view value, uint32_t line);
/* The group's child of that name becomes `node` (in its place), or `node` is added last. Items of lists are always added. */
void conf_node_put(struct conf_node *parent, struct conf_node *node);
bool conf_name_is_bare(struct view name);       /* needs no quotes */
