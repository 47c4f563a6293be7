/* The tree: nodes, lookup, values, changes. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/conf_impl.h"
#include "base/mem.h"
#include "base/str.h"

/* ---- nodes */

static char *copy_text(struct view text)
{
    char *copy = mem_get(text.size + 1);
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

struct conf_node *conf_node_new(enum conf_kind kind, struct view name, struct view value, uint32_t line)
{
    struct conf_node *node = mem_get_zero(sizeof(*node));
    node->kind = kind;
    node->line = line;
    map_init(&node->index);
    if (name.size > 0)
        node->name = copy_text(name);
    if (kind != CONF_GROUP && kind != CONF_LIST)
        node->value = copy_text(value);
    return node;
}

struct conf_node *conf_new(void)
{
    return conf_node_new(CONF_GROUP, VIEW(NULL, 0), VIEW(NULL, 0), 0);
}

/* FNV-1a over the lower-case name. Not keyed: names come from the operator's files; a stranger's room adds one at a time. */
static uint64_t hash_name(struct view name)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        hash = (hash ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * 1099511628211u;
    }
    return hash;
}

static void unlink_child(struct conf_node *parent, struct conf_node *child)
{
    if (child->name != NULL)
        map_del(&parent->index, &child->link);
}

static void link_child(struct conf_node *parent, struct conf_node *child, uint32_t place)
{
    parent->children[place] = child;
    child->place = place;
    if (child->name != NULL)
        map_add(&parent->index, &child->link, hash_name(str_of(child->name)));
}

/* Recursion is bounded by CONF_DEPTH_MAX where trees are parsed, and by our own code where they are made. */
void conf_free(struct conf_node *root)
{
    if (root == NULL)
        return;
    for (uint32_t i = 0; i < root->count; i++) {
        unlink_child(root, root->children[i]);
        conf_free(root->children[i]);
    }
    map_fini(&root->index);
    mem_put(root->children);
    mem_put(root->name);
    mem_put(root->value);
    mem_put(root);
}

static struct conf_node *find_child(const struct conf_node *group, struct view name)
{
    if (group == NULL || group->kind != CONF_GROUP || name.size == 0)
        return NULL;
    for (struct map_node *m = map_first(&group->index, hash_name(name)); m != NULL; m = map_next_same(m)) {
        struct conf_node *child = CONTAINER_OF(m, struct conf_node, link);
        if (str_equal_nocase(str_of(child->name), name))
            return child;
    }
    return NULL;
}

void conf_node_put(struct conf_node *parent, struct conf_node *node)
{
    struct conf_node *old = find_child(parent, str_of(node->name));
    if (old != NULL) {
        uint32_t place = old->place;
        unlink_child(parent, old);
        conf_free(old);
        link_child(parent, node, place);
        return;
    }
    if (parent->count == parent->room) {
        parent->room = parent->room == 0 ? 8 : parent->room * 2;
        parent->children = mem_resize(parent->children, parent->room * sizeof(*parent->children));
    }
    link_child(parent, node, parent->count++);
}

bool conf_name_is_bare(struct view name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '*';
        bool later = (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!letter && (i == 0 || !later))
            return false;
    }
    return name.size > 0;
}

enum conf_format conf_format_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strstr(slash != NULL ? slash : path, ".jcfg") != NULL ? CONF_JCFG : CONF_INI;
}

/* ---- reading */

const struct conf_node *conf_get(const struct conf_node *group, const char *name)
{
    return find_child(group, str_of(name));
}

const struct conf_node *conf_path(const struct conf_node *root, ...)
{
    va_list names;
    va_start(names, root);
    const struct conf_node *node = root;
    for (const char *name; node != NULL && (name = va_arg(names, const char *)) != NULL;)
        node = conf_get(node, name);
    va_end(names);
    return node;
}

enum conf_kind conf_kind(const struct conf_node *node)
{
    return node->kind;
}

const char *conf_name(const struct conf_node *node)
{
    return node->name != NULL ? node->name : "";
}

uint32_t conf_line(const struct conf_node *node)
{
    return node->line;
}

bool conf_is_scalar(const struct conf_node *node)
{
    return node != NULL && node->value != NULL;
}

uint32_t conf_count(const struct conf_node *node)
{
    return node != NULL ? node->count : 0;
}

const struct conf_node *conf_at(const struct conf_node *node, uint32_t index)
{
    return index < conf_count(node) ? node->children[index] : NULL;
}

const char *conf_value(const struct conf_node *node)
{
    return conf_is_scalar(node) ? node->value : "";
}

bool conf_value_bool(const struct conf_node *node)
{
    struct view value = str_of(conf_value(node));
    return str_equal_nocase(value, STR("yes")) || str_equal_nocase(value, STR("true")) || str_equal_nocase(value, STR("1"));
}

/* What atoi does, but in 64 bits and without overflow: blanks, a sign, digits; the rest is ignored. */
static int64_t leading_integer(const char *text)
{
    while (*text == ' ' || (*text >= '\t' && *text <= '\r'))
        text++;
    bool negative = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    int64_t value = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        int64_t digit = negative ? '0' - *text : *text - '0';
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value))
            return negative ? INT64_MIN : INT64_MAX;
    }
    return value;
}

int64_t conf_value_i64(const struct conf_node *node)
{
    return leading_integer(conf_value(node));
}

const char *conf_text(const struct conf_node *group, const char *name, const char *fallback)
{
    const struct conf_node *node = conf_get(group, name);
    return conf_is_scalar(node) ? node->value : fallback;
}

const char *conf_text_given(const struct conf_node *group, const char *name)
{
    const char *value = conf_text(group, name, NULL);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

bool conf_bool(const struct conf_node *group, const char *name, bool fallback)
{
    const struct conf_node *node = conf_get(group, name);
    return conf_is_scalar(node) ? conf_value_bool(node) : fallback;
}

int64_t conf_i64(const struct conf_node *group, const char *name, int64_t fallback)
{
    const struct conf_node *node = conf_get(group, name);
    return conf_is_scalar(node) ? conf_value_i64(node) : fallback;
}

int conf_int(const struct conf_node *group, const char *name, int fallback)
{
    int64_t value = conf_i64(group, name, fallback);
    return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int)value;
}

bool conf_port(const struct conf_node *group, const char *name, uint16_t fallback, uint16_t *out)
{
    *out = fallback;
    const struct conf_node *node = conf_get(group, name);
    return !conf_is_scalar(node) || str_u16(str_trim(str_of(node->value)), out);
}

/* ---- changing */

static void set_scalar(struct conf_node *group, const char *name, enum conf_kind kind, const char *value)
{
    CHECK(group->kind == CONF_GROUP);
    CHECK(name[0] != '\0');
    conf_node_put(group, conf_node_new(kind, str_of(name), str_of(value), 0));
}

void conf_set_text(struct conf_node *group, const char *name, const char *text)
{
    set_scalar(group, name, CONF_STRING, text);
}

void conf_set_i64(struct conf_node *group, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%lld", (long long)value);
    set_scalar(group, name, CONF_INTEGER, text);
}

void conf_set_u64(struct conf_node *group, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    set_scalar(group, name, CONF_INTEGER, text);
}

void conf_set_bool(struct conf_node *group, const char *name, bool value)
{
    set_scalar(group, name, CONF_BOOLEAN, value ? "true" : "false");
}

static struct conf_node *put_container(struct conf_node *parent, const char *name, enum conf_kind kind)
{
    struct conf_node *node = conf_node_new(kind, str_of(name), VIEW(NULL, 0), 0);
    conf_node_put(parent, node);
    return node;
}

struct conf_node *conf_set_group(struct conf_node *group, const char *name)
{
    CHECK(group->kind == CONF_GROUP);
    struct conf_node *there = find_child(group, str_of(name));
    if (there != NULL && there->kind == CONF_GROUP)
        return there;
    return put_container(group, name, CONF_GROUP);
}

struct conf_node *conf_set_list(struct conf_node *group, const char *name)
{
    CHECK(group->kind == CONF_GROUP);
    return put_container(group, name, CONF_LIST);
}

struct conf_node *conf_add_group(struct conf_node *list)
{
    CHECK(list->kind == CONF_LIST);
    return put_container(list, NULL, CONF_GROUP);
}

void conf_add_text(struct conf_node *list, const char *text)
{
    CHECK(list->kind == CONF_LIST);
    conf_node_put(list, conf_node_new(CONF_STRING, VIEW(NULL, 0), str_of(text), 0));
}

void conf_del(struct conf_node *group, const char *name)
{
    struct conf_node *child = find_child(group, str_of(name));
    if (child == NULL)
        return;
    unlink_child(group, child);
    group->count--;
    for (uint32_t i = child->place; i < group->count; i++) {
        group->children[i] = group->children[i + 1];
        group->children[i]->place = i;
    }
    conf_free(child);
}
