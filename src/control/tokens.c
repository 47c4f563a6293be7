#include "control/tokens.h"

#include "base/mem.h"
#include "base/str.h"

bool tokens_are_stored(const struct control *c)
{
    return c->settings->token_auth && c->settings->token_auth_secret == NULL;
}

struct stored_token *token_find(const struct control *c, const char *text)
{
    if (text == NULL)
        return NULL;
    const uint64_t hash = hash_bytes(&c->key, str_of(text));
    for (struct map_node *node = map_first(&c->tokens, hash); node != NULL; node = map_next_same(node)) {
        struct stored_token *token = CONTAINER_OF(node, struct stored_token, node);
        if (str_equal_secret(str_of(token->text), str_of(text)))
            return token;
    }
    return NULL;
}

struct stored_token *token_add(struct control *c, const char *text)
{
    const size_t size = strlen(text);
    if (c->token_count == TOKENS_MAX || size > TOKEN_BYTES_MAX)
        return NULL;
    struct stored_token *token = mem_get_zero(sizeof(*token) + size + 1);
    memcpy(token->text, text, size);
    map_add(&c->tokens, &token->node, hash_bytes(&c->key, str_of(text)));
    c->token_count++;
    return token;
}

void token_del(struct control *c, struct stored_token *token)
{
    map_del(&c->tokens, &token->node);
    explicit_bzero(token->text, strlen(token->text));
    mem_put(token);
    c->token_count--;
}

void tokens_drop(struct control *c)
{
    for (struct map_node *node; (node = map_each(&c->tokens, NULL)) != NULL;)
        token_del(c, CONTAINER_OF(node, struct stored_token, node));
}
