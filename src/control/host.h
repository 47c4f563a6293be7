/* control/host.h - plugins: started with control, found by package, told what happens; their verbs (plugins/plugin.h) are in
 * host.c and host_media.c. */
#pragma once

#include "control/state.h"

/* False: none could be started. Disabled ones and those whose init fails are left out (logged). */
void hosts_start(struct control *c);
void hosts_stop(struct control *c);
struct host *host_find(const struct control *c, const char *package);   /* case-sensitive; NULL: no such plugin */
void hosts_tick(struct control *c);
void hosts_turn(struct control *c);             /* those that have asked for it (host_again) */
