/* control/tokens.h - stored tokens (janus-api.md 7.1): who may use which plugins. The Admin API gives them out and takes them back;
 * they live in memory only. Owner: the control actor. */
#pragma once

#include "control/state.h"

struct stored_token {
    struct map_node node;               /* in control.tokens */
    uint64_t plugins;                   /* bit n: the n-th host. None: sessions, but no handles */
    char text[];
};

bool tokens_are_stored(const struct control *c);        /* tokens are asked for, and not signed */
struct stored_token *token_find(const struct control *c, const char *text);     /* `text` NULL: none */
/* NULL: at TOKENS_MAX, or longer than TOKEN_BYTES_MAX. Plugins: none. */
struct stored_token *token_add(struct control *c, const char *text);
void token_del(struct control *c, struct stored_token *token);
void tokens_drop(struct control *c);
