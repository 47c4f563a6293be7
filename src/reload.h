/* reload.h - what SIGUSR2 reads again: janus.jcfg for the log level and the time to drain, and the certificates of the listeners.
 * Main thread: files may take their time there. */
#pragma once

#include "runtime/actor.h"
#include "settings/settings.h"

/* `running` gets what it may. A file that can't be used changes nothing; what was done, and what was not, stands in the log. */
void reload(struct actor *main_actor, struct settings *running, int argc, char **argv);
