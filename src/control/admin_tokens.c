/* The Admin API's requests about stored tokens (admin-api.md 3.5). In another mode each answers 490 before it looks at anything. */
#include "control/admin.h"
#include "control/host.h"
#include "control/tokens.h"

static const struct element token_element[] = {{"token", ELEMENT_STRING, true}};

/* False: answered. */
static bool is_stored_mode(struct control *c, const struct api_request *request)
{
    if (tokens_are_stored(c))
        return true;
    reply_error(c, request, 490, "Stored-Token based authentication disabled");
    return false;
}

static uint64_t all_plugins(const struct control *c)
{
    CHECK(c->host_count < 64);
    return (UINT64_C(1) << c->host_count) - 1;
}

/* The bit of the plugin that an array's entry names; 0: of none. */
static uint64_t plugin_of(const struct control *c, const json_t *entry)
{
    const struct host *host = json_is_string(entry) ? host_find(c, json_string_value(entry)) : NULL;
    return host == NULL ? 0 : UINT64_C(1) << (host - c->hosts);
}

/* False: some entry names none. */
static bool plugins_of(const struct control *c, const json_t *list, uint64_t *plugins)
{
    bool all_known = true;
    size_t index;
    json_t *entry;
    *plugins = 0;
    json_array_foreach((json_t *)list, index, entry) {
        const uint64_t plugin = plugin_of(c, entry);
        *plugins |= plugin;
        all_known = all_known && plugin != 0;
    }
    return all_known;
}

static void write_plugins(const struct control *c, struct json_out *j, const char *key, uint64_t plugins)
{
    jout_array(j, key);
    for (uint32_t i = 0; i < c->host_count; i++)
        if ((plugins & UINT64_C(1) << i) != 0)
            jout_string(j, NULL, c->hosts[i].desc->package);
    jout_end(j);
}

static void reply_plugins(struct control *c, const struct api_request *request, const struct stored_token *token)
{
    struct json_out j;
    reply_begin(c, &j, request, "success");
    jout_object(&j, "data");
    write_plugins(c, &j, "plugins", token->plugins);
    jout_end(&j);
    reply_end(c, &j, request);
}

static void run_add_token(struct control *c, struct api_request *request)
{
    static const struct element elements[] = {{"token", ELEMENT_STRING, true}, {"plugins", ELEMENT_ARRAY, false}};
    uint64_t plugins;
    if (!is_stored_mode(c, request) || !request_has(c, request, elements, ARRAY_COUNT(elements)))
        return;
    const json_t *list = json_object_get(request->root, "plugins");
    const char *text = element_string(request->root, "token");
    struct stored_token *token = token_find(c, text);
    if (token == NULL)
        token = token_add(c, text);
    if (token == NULL) {
        reply_error(c, request, 490, "Error adding token");
        return;
    }
    (void)plugins_of(c, list, &plugins);
    token->plugins |= json_array_size(list) == 0 ? all_plugins(c) : plugins;
    reply_plugins(c, request, token);
}

/* The token, and the plugins that it is about; NULL: answered. */
static struct stored_token *read_change(struct control *c, const struct api_request *request, uint64_t *plugins)
{
    if (!is_stored_mode(c, request) || !request_has(c, request, token_element, ARRAY_COUNT(token_element)))
        return NULL;
    const json_t *list = json_object_get(request->root, "plugins");
    const char *text = element_string(request->root, "token");
    struct stored_token *token = token_find(c, text);
    if (token == NULL)
        reply_error(c, request, 470, "Token %s not found", text);
    else if (json_array_size(list) == 0)
        reply_error(c, request, 467, "Invalid element type (plugins should be a non-empty array)");
    else if (!plugins_of(c, list, plugins))
        reply_error(c, request, 467, "Invalid element type (some of the provided plugins are invalid)");
    else
        return token;
    return NULL;
}

static void run_allow_token(struct control *c, struct api_request *request)
{
    uint64_t plugins;
    struct stored_token *token = read_change(c, request, &plugins);
    if (token == NULL)
        return;
    token->plugins |= plugins;
    reply_plugins(c, request, token);
}

static void run_disallow_token(struct control *c, struct api_request *request)
{
    uint64_t plugins;
    struct stored_token *token = read_change(c, request, &plugins);
    if (token == NULL)
        return;
    token->plugins &= ~plugins;
    reply_plugins(c, request, token);
}

static void run_remove_token(struct control *c, struct api_request *request)
{
    if (!is_stored_mode(c, request) || !request_has(c, request, token_element, ARRAY_COUNT(token_element)))
        return;
    struct stored_token *token = token_find(c, element_string(request->root, "token"));
    if (token == NULL) {
        reply_error(c, request, 490, "Error removing token");
        return;
    }
    token_del(c, token);
    reply_plain(c, request, "success");
}

/* The one answer that must hold tokens. Those that may use nothing are left out. */
static void run_list_tokens(struct control *c, struct api_request *request)
{
    struct json_out j;
    if (!is_stored_mode(c, request))
        return;
    reply_begin(c, &j, request, "success");
    jout_object(&j, "data");
    jout_array(&j, "tokens");
    for (struct map_node *node = map_each(&c->tokens, NULL); node != NULL; node = map_each(&c->tokens, node)) {
        const struct stored_token *token = CONTAINER_OF(node, struct stored_token, node);
        if (token->plugins == 0)
            continue;
        jout_object(&j, NULL);
        jout_string(&j, "token", token->text);
        write_plugins(c, &j, "allowed_plugins", token->plugins);
        jout_end(&j);
    }
    jout_end(&j);
    jout_end(&j);
    reply_end(c, &j, request);
}

const struct admin_verb admin_token_verbs[] = {
    {"add_token", ADMIN_ROOT, run_add_token, {{0}}},
    {"allow_token", ADMIN_ROOT, run_allow_token, {{0}}},
    {"disallow_token", ADMIN_ROOT, run_disallow_token, {{0}}},
    {"remove_token", ADMIN_ROOT, run_remove_token, {{0}}},
    {"list_tokens", ADMIN_ROOT, run_list_tokens, {{0}}},
    {0},
};
