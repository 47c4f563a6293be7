/* GETs on the HTTP listener of the Admin API, where there are no polls. Whatever else that listener shows (of any path, below its
 * base path or not) is decided here, before anything else. */
#include "base/str.h"
#include "io/api_path.h"
#include "io/client_private.h"

bool client_admin_get(struct clients *env, struct client *c, usec_t now, const struct http_request *req, const struct api_path *path,
                      struct view *text)
{
    (void)req;
    if (!path->is_ours) {
        client_api_refuse(env, c, now, 404, CLIENT_END_SERVED);
        return false;
    }
    struct view first = path->count > 0 ? path->parts[0] : VIEW(NULL, 0);
    if (str_equal(first, STR("info")))
        return client_api_ask_for(env, c, "info", VIEW(NULL, 0), text);
    if (str_equal(first, STR("ping")))
        return client_api_ask_for(env, c, "ping", VIEW(NULL, 0), text);
    client_api_answer_error(env, c, now, 454, "Request payload missing");
    return false;
}
