/* settings/module.h - a module's own configuration file (config-core.md 1.1, 1.3): <configs folder>/<package>.jcfg, else
 * <package>.cfg. Read by boot before threads start. */
#pragma once

#include "settings/settings.h"

/* `package` is for example "janus.plugin.videoroom". Without a file an empty tree, and *found says false. NULL: there is a file,
 * and it can't be used (noted at error level): the module must not start with defaults then, because the secrets that the file
 * sets would silently be gone. The caller conf_frees it. */
struct conf_node *module_conf_load(struct settings *settings, const char *package, bool *found);

/* Reads a whole file of at most CONF_TEXT_MAX bytes into a tree; NULL with *error filled. Includes are relative to the
 * working directory, as in libconfig. */
struct conf_node *conf_load(const char *path, struct conf_error *error);
