#include "boot_brokers.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "helpers/mqtt/mqtt.h"
#include "helpers/mqtt/mqtt_link.h"
#include "helpers/rabbitmq/rabbitmq.h"
#include "msg/control.h"
#include "runtime/log.h"
#include "settings/module.h"

#define NOTES_MAX 65536u

static void say_notes(struct actor *main_actor, struct buf *notes)
{
    struct view rest = buf_view(notes);
    while (rest.size > 0) {
        struct view line = str_split(&rest, '\n');
        LOG_WARN(main_actor, "%.*s", (int)line.size, (const char *)line.data);
    }
    buf_fini(notes);
}

static struct actor *make_actor(struct actors *set, struct actor *main_actor, actor_id id, const char *name)
{
    struct actor *actor = actor_new(set, id, name);
    if (actor == NULL)
        LOG_FATAL(main_actor, "can't make the actor %s: %s", name, strerror(errno));
    return actor;
}

static bool open_mqtt(struct boot_brokers *b, struct actors *set, struct actor *main_actor, struct settings *settings, bool admin_guarded)
{
    bool found;
    struct mqtt_config config;
    struct buf notes;
    if (settings_is_disabled(&settings->transports_disable, "mqtt"))
        return true;
    b->mqtt_conf = module_conf_load(settings, "janus.transport.mqtt", &found);
    buf_init(&notes, NOTES_MAX);
    bool fine = mqtt_config_read(&config, b->mqtt_conf, admin_guarded, &notes);
    say_notes(main_actor, &notes);
    if (!fine)
        LOG_ERR(main_actor, "MQTT: its configuration can't be used");
    if (!fine || (!config.janus.enabled && !config.admin.enabled))
        return true;
    struct actor *actor = make_actor(set, main_actor, ACTOR_MQTT, "mqtt");
    if (actor == NULL)
        return false;
    mqtt_link_library_init();
    b->mqtt = mqtt_new(actor, &config);
    if (b->mqtt == NULL)
        return false;
    actor_serve(actor, &mqtt_ops, b->mqtt);
    b->io[0] = (struct io_broker_options){TRANSPORT_MQTT, ACTOR_MQTT, config.layout, config.janus.enabled, config.admin.enabled,
                                          "janus.transport.mqtt", config.events};
    return true;
}

static bool open_rabbitmq(struct boot_brokers *b, struct actors *set, struct actor *main_actor, struct settings *settings, bool admin_guarded)
{
    bool found;
    struct rabbit_config config;
    struct buf notes;
    if (settings_is_disabled(&settings->transports_disable, "rabbitmq"))
        return true;
    b->rabbitmq_conf = module_conf_load(settings, "janus.transport.rabbitmq", &found);
    buf_init(&notes, NOTES_MAX);
    bool fine = rabbit_config_read(&config, b->rabbitmq_conf, admin_guarded, &notes);
    say_notes(main_actor, &notes);
    if (!fine)
        LOG_ERR(main_actor, "RabbitMQ: its configuration can't be used");
    if (!fine || (!config.janus.enabled && !config.admin.enabled))
        return true;
    struct actor *actor = make_actor(set, main_actor, ACTOR_RABBITMQ, "rabbitmq");
    if (actor == NULL)
        return false;
    b->rabbitmq = rabbitmq_new(actor, &config);
    actor_serve(actor, &rabbitmq_ops, b->rabbitmq);
    b->io[1] = (struct io_broker_options){TRANSPORT_RABBITMQ, ACTOR_RABBITMQ, config.layout, config.janus.enabled, config.admin.enabled,
                                          "janus.transport.rabbitmq", config.events};
    return true;
}

bool boot_brokers_open(struct boot_brokers *b, struct actors *set, struct actor *main_actor, struct settings *settings, bool admin_guarded)
{
    return open_mqtt(b, set, main_actor, settings, admin_guarded) && open_rabbitmq(b, set, main_actor, settings, admin_guarded);
}

static bool start_one(struct actors *set, actor_id id, uint32_t *running)
{
    if (!actor_start(actors_get(set, id)))
        return false;
    (*running)++;
    return true;
}

bool boot_brokers_start(const struct boot_brokers *b, struct actors *set, uint32_t *running)
{
    return (b->mqtt == NULL || start_one(set, ACTOR_MQTT, running)) && (b->rabbitmq == NULL || start_one(set, ACTOR_RABBITMQ, running));
}

void boot_brokers_stop(const struct boot_brokers *b, struct actor *main_actor)
{
    if (b->mqtt != NULL)
        actor_ask_stop(main_actor, ACTOR_MQTT);
    if (b->rabbitmq != NULL)
        actor_ask_stop(main_actor, ACTOR_RABBITMQ);
}

void boot_brokers_close(struct boot_brokers *b)
{
    mqtt_free(b->mqtt);
    if (b->mqtt != NULL)
        mqtt_link_library_fini();
    conf_free(b->mqtt_conf);
    rabbitmq_free(b->rabbitmq);
    conf_free(b->rabbitmq_conf);
}

uint32_t boot_brokers_list(const struct boot_brokers *b, struct control_module *modules)
{
    uint32_t count = 0;
    if (b->mqtt != NULL)
        modules[count++] = (struct control_module){
            .package = "janus.transport.mqtt",
            .name = "Cardea MQTT transport",
            .author = "The Cardea project",
            .description = "The Janus API over an MQTT broker",
            .version_string = "0.0.1",
            .version = 1,
        };
    if (b->rabbitmq != NULL)
        modules[count++] = (struct control_module){
            .package = "janus.transport.rabbitmq",
            .name = "Cardea RabbitMQ transport",
            .author = "The Cardea project",
            .description = "The Janus API over a RabbitMQ broker",
            .version_string = "0.0.1",
            .version = 1,
        };
    return count;
}
