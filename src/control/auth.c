#include "control/auth.h"

#include "base/str.h"
#include "control/api_parse.h"
#include "control/crypto.h"
#include "control/host.h"
#include "control/tokens.h"

bool auth_is_signed(const struct control *c)
{
    return c->settings->token_auth && c->settings->token_auth_secret != NULL;
}

static bool has_signature(const struct control *c, struct view payload, struct view signature)
{
    char expected[HMAC_SHA1_TEXT];
    return crypto_hmac_sha1(str_of(c->settings->token_auth_secret), payload, expected) && str_equal_secret(str_of(expected), signature);
}

/* `expiry "," realm *("," descriptor)`: the three questions that a payload answers. */
static bool payload_holds(struct view payload, uint64_t now_s, const char *realm, const char *descriptor)
{
    uint64_t expiry;
    if (!str_u64(str_split(&payload, ','), &expiry) || now_s > expiry || payload.size == 0)
        return false;
    if (!str_equal(str_split(&payload, ','), str_of(realm)))
        return false;
    if (descriptor == NULL)
        return true;
    while (payload.size > 0)
        if (str_equal(str_split(&payload, ','), str_of(descriptor)))
            return true;
    return false;
}

bool auth_token(const struct control *c, const char *token, const char *realm, const char *descriptor)
{
    struct view signature = str_of(token);
    if (!auth_is_signed(c) || token == NULL)
        return false;
    struct view payload = str_split(&signature, ':');
    if (signature.size == 0 || str_contains(signature, STR(":")))
        return false;                   /* exactly two parts */
    return payload_holds(payload, actor_wall_us(c->actor) / 1000000u, realm, descriptor) && has_signature(c, payload, signature);
}

bool auth_request(const struct control *c, const json_t *root)
{
    const struct settings *settings = c->settings;
    if (settings->api_secret == NULL && !settings->token_auth)
        return true;
    const char *secret = element_string(root, "apisecret");
    if (settings->api_secret != NULL && secret != NULL && str_equal_secret(str_of(secret), str_of(settings->api_secret)))
        return true;
    const char *token = element_string(root, "token");
    return tokens_are_stored(c) ? token_find(c, token) != NULL : settings->token_auth && auth_token(c, token, "janus", NULL);
}

bool auth_plugin(const struct control *c, const json_t *root, const char *package)
{
    const char *token = element_string(root, "token");
    if (!c->settings->token_auth || token == NULL)
        return true;
    if (!tokens_are_stored(c))
        return auth_token(c, token, "janus", package);
    const struct stored_token *stored = token_find(c, token);
    return stored != NULL && (stored->plugins & UINT64_C(1) << (host_find(c, package) - c->hosts)) != 0;
}
