#include "io/nanomsg_config.h"

#include "base/net.h"
#include "base/str.h"

static void read_server(struct nanomsg_server *server, const struct conf_node *group, const char *enabled, const char *address, const char *mode,
                        struct buf *notes)
{
    const char *name = conf_text(group, mode, "bind");
    server->enabled = conf_bool(group, enabled, false);
    server->address = conf_text_given(group, address);
    server->connects = str_equal_nocase(str_of(name), STR("connect"));
    if (!server->enabled)
        return;
    if (!server->connects && !str_equal_nocase(str_of(name), STR("bind"))) {
        buf_addf(notes, "%s = \"%s\" is neither bind nor connect: this side is off\n", mode, name);
        server->enabled = false;
    } else if (server->address == NULL) {
        buf_addf(notes, "%s is missing: this side is off\n", address);
        server->enabled = false;
    }
}

/* Of "tcp://127.0.0.1:5555" the host. */
static bool is_local(const char *address)
{
    struct view rest = str_of(address);
    struct net_addr addr;
    if (str_starts(rest, STR("ipc://")) || str_starts(rest, STR("inproc://")))
        return true;
    for (size_t i = 0; i + 2 < rest.size; i++)
        if (memcmp(rest.data + i, "://", 3) == 0) {
            rest = VIEW(rest.data + i + 3, rest.size - i - 3);
            struct view host = str_split(&rest, ':');
            return str_equal_nocase(host, STR("localhost")) || (net_ip_parse(&addr, host) && net_ip_is_loopback(&addr));
        }
    return false;
}

void nanomsg_config_read(struct nanomsg_config *config, const struct conf_node *root, bool admin_guarded, struct buf *notes)
{
    const struct conf_node *general = conf_get(root, "general"), *admin = conf_get(root, "admin");
    const char *layout = conf_text_given(general, "json");
    *config = (struct nanomsg_config){.layout = LAYOUT_COMPACT, .events = conf_bool(general, "events", true)};
    if (layout != NULL && !jout_layout_parse(&config->layout, str_of(layout)))
        buf_addf(notes, "json = \"%s\" is not known, using compact\n", layout);
    read_server(&config->janus, general, "enabled", "address", "mode", notes);
    read_server(&config->admin, admin, "admin_enabled", "admin_address", "admin_mode", notes);
    if (config->admin.enabled && !admin_guarded && !is_local(config->admin.address)) {
        buf_addf(notes, "admin_address: not opened: admin_secret is the one of the sample files, which everybody knows\n");
        config->admin.enabled = false;
    }
}
