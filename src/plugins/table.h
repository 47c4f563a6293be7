/* plugins/table.h - the plugins that are linked in. Only table.c includes it. */
#pragma once

#include "plugins/plugin.h"

extern const struct plugin_desc echotest_plugin;
extern const struct plugin_desc textroom_plugin;
extern const struct plugin_desc videoroom_plugin;
