/* plugins/acl.h - who may join a room: a list of tokens, asked only while it is on. Owner: the room that embeds it. */
#pragma once

#include <jansson.h>

#include "base/hash.h"
#include "base/json_out.h"
#include "base/list.h"
#include "base/map.h"

#define ACL_TOKENS_MAX 10000u       /* of one list */

struct acl {
    bool on;
    struct list tokens;             /* in order of coming */
    struct map by_token;
};

void acl_init(struct acl *acl);
void acl_fini(struct acl *acl);
bool acl_add(struct acl *acl, const struct hash_key *key, const char *token);       /* false: too many */
void acl_del(struct acl *acl, const struct hash_key *key, const char *token);
/* True while the list is off. */
bool acl_allows(const struct acl *acl, const struct hash_key *key, const char *token);      /* NULL: no token was given */
void acl_write(const struct acl *acl, struct json_out *j, const char *name);        /* an array of all tokens */
