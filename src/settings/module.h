/* settings/module.h - a module's own configuration file (config-core.md 1.1, 1.3): <configs folder>/<package>.jcfg, else
 * <package>.cfg. Read by boot before threads start. */
#pragma once

#include "settings/settings.h"

/* `package` is for example "janus.plugin.videoroom". Never NULL: without a (usable) file an empty tree, and *found says
 * false; a file that can't be parsed leaves a note at error level. The caller conf_frees it. */
struct conf_node *module_conf_load(struct settings *settings, const char *package, bool *found);

/* Reads a whole file of at most CONF_TEXT_MAX bytes into a tree; NULL with *error filled. Includes are relative to the
 * working directory, as in libconfig. */
struct conf_node *conf_load(const char *path, struct conf_error *error);
