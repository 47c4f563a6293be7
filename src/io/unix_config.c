#include "io/unix_config.h"

#include "base/str.h"

static void read_server(struct unix_server *server, const struct conf_node *group, const char *enabled, const char *path, const char *type,
                        struct buf *notes)
{
    const char *name = conf_text_given(group, type);
    server->enabled = conf_bool(group, enabled, false);
    server->path = conf_text_given(group, path);
    server->datagrams = name != NULL && str_equal_nocase(str_of(name), STR("SOCK_DGRAM"));
    if (!server->enabled)
        return;
    if (name != NULL && !server->datagrams && !str_equal_nocase(str_of(name), STR("SOCK_SEQPACKET")))
        buf_addf(notes, "%s = \"%s\" is not known, using SOCK_SEQPACKET\n", type, name);
    if (server->path == NULL) {
        buf_addf(notes, "%s is missing: no Unix socket is opened for it\n", path);
        server->enabled = false;
    }
}

void unix_config_read(struct unix_config *config, const struct conf_node *root, struct buf *notes)
{
    const struct conf_node *general = conf_get(root, "general"), *admin = conf_get(root, "admin");
    const char *layout = conf_text_given(general, "json");
    *config = (struct unix_config){.layout = LAYOUT_COMPACT, .events = conf_bool(general, "events", true)};
    if (layout != NULL && !jout_layout_parse(&config->layout, str_of(layout)))
        buf_addf(notes, "json = \"%s\" is not known, using compact\n", layout);
    read_server(&config->janus, general, "enabled", "path", "type", notes);
    read_server(&config->admin, admin, "admin_enabled", "admin_path", "admin_type", notes);
}
