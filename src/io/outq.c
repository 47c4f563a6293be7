#include "io/outq.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"

struct out_node {
    struct out_node *next;
    struct view text;
    void *block;                 /* mem_put with the node; NULL: the text is behind the node, or lasts */
    uint32_t credits;            /* come free when the node has left */
    uint8_t kind;                /* enum out_kind */
    uint8_t head_size;
    uint8_t head[OUTQ_HEAD_MAX];
};

static uint32_t node_size(const struct out_node *node)
{
    return (uint32_t)(node->head_size + node->text.size);
}

static void account(struct outq *q, const struct out_node *node, bool in)
{
    uint32_t *bytes = node->kind == OUT_EVENT ? &q->event_bytes : &q->reply_bytes;
    *bytes = in ? *bytes + node_size(node) : *bytes - node_size(node);
    if (node->kind == OUT_EVENT)
        q->events = in ? q->events + 1 : q->events - 1;
}

static struct out_node *add_node(struct outq *q, enum out_kind kind, struct view head, struct view text, size_t room)
{
    CHECK(head.size <= OUTQ_HEAD_MAX);
    CHECK(head.size + text.size > 0);
    struct out_node *node = mem_get(sizeof(*node) + room);
    *node = (struct out_node){.text = text, .kind = (uint8_t)kind, .head_size = (uint8_t)head.size};
    if (head.size > 0)
        memcpy(node->head, head.data, head.size);
    if (q->last != NULL)
        q->last->next = node;
    else
        q->first = node;
    q->last = node;
    account(q, node, true);
    return node;
}

void outq_add(struct outq *q, enum out_kind kind, struct view head, struct view text)
{
    struct out_node *node = add_node(q, kind, head, text, text.size);
    if (text.size > 0)
        memcpy(node + 1, text.data, text.size);
    node->text = VIEW(node + 1, text.size);
}

void outq_add_block(struct outq *q, enum out_kind kind, struct view head, struct view text, void *block)
{
    add_node(q, kind, head, text, 0)->block = block;
}

void outq_add_lasting(struct outq *q, enum out_kind kind, struct view head, struct view text)
{
    add_node(q, kind, head, text, 0);
}

static uint32_t drop_first(struct outq *q)
{
    struct out_node *node = q->first;
    uint32_t credits = node->credits;
    account(q, node, false);
    q->credits -= credits;
    q->first = node->next;
    if (q->first == NULL)
        q->last = NULL;
    q->first_sent = 0;
    mem_put(node->block);
    mem_put(node);
    return credits;
}

void outq_fini(struct outq *q)
{
    while (q->first != NULL)
        drop_first(q);
}

bool outq_hold_credit(struct outq *q)
{
    if (q->last == NULL)
        return false;
    q->last->credits++;
    q->credits++;
    return true;
}

/* What of a node is left after `sent` bytes of it. */
static size_t rest_of(const struct out_node *node, size_t sent, struct view parts[OUTQ_PARTS])
{
    size_t count = 0;
    if (sent < node->head_size) {
        parts[count++] = VIEW(node->head + sent, node->head_size - sent);
        sent = 0;
    } else {
        sent -= node->head_size;
    }
    if (sent < node->text.size)
        parts[count++] = VIEW(node->text.data + sent, node->text.size - sent);
    return count;
}

size_t outq_peek(const struct outq *q, struct view parts[OUTQ_PARTS])
{
    return q->first == NULL ? 0 : rest_of(q->first, q->first_sent, parts);
}

enum out_kind outq_first_kind(const struct outq *q)
{
    return (enum out_kind)q->first->kind;
}

size_t outq_gather(const struct outq *q, uint8_t *out, size_t room)
{
    size_t size = 0, sent = q->first_sent;
    for (const struct out_node *node = q->first; node != NULL && size < room; node = node->next, sent = 0) {
        struct view parts[OUTQ_PARTS];
        size_t count = rest_of(node, sent, parts);
        for (size_t i = 0; i < count && size < room; i++) {
            size_t part = parts[i].size < room - size ? parts[i].size : room - size;
            memcpy(out + size, parts[i].data, part);
            size += part;
        }
    }
    return size;
}

uint32_t outq_sent(struct outq *q, size_t size)
{
    uint32_t credits = 0;
    while (size > 0) {
        CHECK(q->first != NULL);
        size_t left = node_size(q->first) - q->first_sent;
        if (size < left) {
            q->first_sent += (uint32_t)size;
            break;
        }
        size -= left;
        credits += drop_first(q);
    }
    return credits;
}
