/* The verb that speaks to other web servers (plugins/plugin.h); helpers/poster.h does the work. */
#include "base/mem.h"
#include "control/host.h"
#include "control/out.h"
#include "msg/poster.h"

void host_http_post(struct host *host, const char *url, struct view json, bool public_only)
{
    size_t url_size = strlen(url), size = sizeof(struct poster_post) + url_size + json.size;
    struct poster_post *post = mem_get(size);
    *post = (struct poster_post){.url_size = (uint32_t)url_size, .body_size = (uint32_t)json.size, .public_only = public_only};
    memcpy(post->text, url, url_size);
    memcpy(post->text + url_size, json.data, json.size);
    out_op_block(host->control, ACTOR_POSTER, POSTER_POST, REF_NONE, post, size);
}
