/* boot.h - what stands between the settings and the first turn: addresses, sockets, certificate, and the actors that serve.
 * Everything that can fail at start fails here, on the main thread, before any other thread runs.
 *
 *   struct boot *boot = boot_open(set, main_actor, &settings);   NULL: said why in the log
 *   actors_wire(set);
 *   boot_start(boot);                                            threads run from here on
 *   ... the loop of main; ACTOR_STOPPED messages go to boot_stopped ...
 *   boot_close(boot);                                            all joined by then */
#pragma once

#include "msg/io.h"
#include "runtime/actor.h"
#include "settings/settings.h"

struct boot;

struct boot *boot_open(struct actors *set, struct actor *main_actor, struct settings *settings);
/* False: a thread could not be started. */
bool boot_start(struct boot *boot);
/* The first asks control (it tells event handlers by which signal), which closes every session; io and the workers are asked once it has stopped. Repeated calls
 * change nothing. */
void boot_stop(struct boot *boot, int signal_number);
/* No new sessions, and who has one is told; MAIN_DRAINED comes when none is left (msg/main.h). */
void boot_drain(struct boot *boot, uint32_t seconds);
/* For io: whether every actor is alive, as the watchdog sees it. */
void boot_tell_health(struct boot *boot, const struct io_health *health);
/* What the pools were sized for; and whether it is nearly used up, for control. */
uint64_t boot_memory_limit(const struct boot *boot);
void boot_tell_memory(struct boot *boot, bool is_short);
/* An actor has told that it has stopped; true once all that boot has started have. They are joined then. */
bool boot_stopped(struct boot *boot, actor_id who);
/* Nobody but the resolver's actor is left, which may wait for as long as the system's resolver does. */
bool boot_waits_for_names(const struct boot *boot);
void boot_close(struct boot *boot);
