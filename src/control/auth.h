/* control/auth.h - who may ask (janus-api.md 7): `api_secret`, and tokens signed with HMAC-SHA1. Secrets and tokens are
 * compared in constant time and never logged. Without a secret to sign with, tokens are those that the Admin API has stored. */
#pragma once

#include "control/state.h"

/* The request's `apisecret` or `token` satisfies what is configured. */
bool auth_request(const struct control *c, const json_t *root);
/* The request's token, if token authentication is on and there is one, lets its bearer use the plugin. */
bool auth_plugin(const struct control *c, const json_t *root, const char *package);

bool auth_is_signed(const struct control *c);
/* `descriptor` NULL: any. False unless tokens are signed. */
bool auth_token(const struct control *c, const char *token, const char *realm, const char *descriptor);
