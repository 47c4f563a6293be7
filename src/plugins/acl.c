#include "plugins/acl.h"

#include "base/mem.h"
#include "base/str.h"

struct acl_token {
    struct list node;
    struct map_node by_token;
    char text[];
};

void acl_init(struct acl *acl)
{
    acl->on = false;
    list_init(&acl->tokens);
    map_init(&acl->by_token);
}

static void drop(struct acl *acl, struct acl_token *token)
{
    list_del(&token->node);
    map_del(&acl->by_token, &token->by_token);
    mem_put(token);
}

void acl_fini(struct acl *acl)
{
    LIST_EACH(it, &acl->tokens)
        drop(acl, CONTAINER_OF(it, struct acl_token, node));
    map_fini(&acl->by_token);
}

/* The hash is keyed, so how long this takes says nothing about tokens that are nearly right. */
static struct acl_token *find(const struct acl *acl, const struct hash_key *key, const char *text)
{
    for (struct map_node *n = map_first(&acl->by_token, hash_bytes(key, str_of(text))); n != NULL; n = map_next_same(n)) {
        struct acl_token *token = CONTAINER_OF(n, struct acl_token, by_token);
        if (str_equal_secret(str_of(token->text), str_of(text)))
            return token;
    }
    return NULL;
}

bool acl_add(struct acl *acl, const struct hash_key *key, const char *text)
{
    if (find(acl, key, text) != NULL)
        return true;
    if (acl->by_token.count == ACL_TOKENS_MAX)
        return false;
    size_t size = strlen(text) + 1;
    struct acl_token *token = mem_get(sizeof(*token) + size);
    memcpy(token->text, text, size);
    list_add_tail(&acl->tokens, &token->node);
    map_add(&acl->by_token, &token->by_token, hash_bytes(key, str_of(text)));
    return true;
}

void acl_del(struct acl *acl, const struct hash_key *key, const char *text)
{
    struct acl_token *token = find(acl, key, text);
    if (token != NULL)
        drop(acl, token);
}

bool acl_allows(const struct acl *acl, const struct hash_key *key, const char *text)
{
    return !acl->on || (text != NULL && find(acl, key, text) != NULL);
}

void acl_write(const struct acl *acl, struct json_out *j, const char *name)
{
    jout_array(j, name);
    LIST_EACH(it, &acl->tokens)
        jout_string(j, NULL, CONTAINER_OF(it, struct acl_token, node)->text);
    jout_end(j);
}
