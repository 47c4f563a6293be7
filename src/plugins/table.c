#include "plugins/table.h"

const struct plugin_desc *const plugin_table[] = {
    &echotest_plugin,
    &videoroom_plugin,
    NULL,
};
