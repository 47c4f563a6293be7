/* boot_brokers.h - the actors that speak with message brokers for io: made when their transport is enabled in its file, and only then. */
#pragma once

#include "base/conf.h"
#include "control/control.h"
#include "io/io.h"
#include "runtime/actor.h"
#include "settings/settings.h"

struct boot_brokers {
    struct conf_node *mqtt_conf;
    struct mqtt *mqtt;
    struct conf_node *rabbitmq_conf;
    struct rabbitmq *rabbitmq;
    struct io_broker_options io[IO_BROKERS_MAX];     /* for io */
};

/* False: no thread can be had. A transport that can't be used is left out, and why is in the log. `admin_guarded`: io/io.h. */
bool boot_brokers_open(struct boot_brokers *b, struct actors *set, struct actor *main_actor, struct settings *settings, bool admin_guarded);
/* Starts them, and counts them in `running`. */
bool boot_brokers_start(const struct boot_brokers *b, struct actors *set, uint32_t *running);
/* Once io has stopped. */
void boot_brokers_stop(const struct boot_brokers *b, struct actor *main_actor);
void boot_brokers_close(struct boot_brokers *b);
/* What `info` names; returns how many. */
uint32_t boot_brokers_list(const struct boot_brokers *b, struct control_module *modules);
