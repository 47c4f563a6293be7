#include "plugins/table.h"

const struct plugin_desc *const plugin_table[] = {
    &echotest_plugin,
    &textroom_plugin,
    &videoroom_plugin,
    NULL,
};
