/* Keys of the reference that have no effect here: not built yet, or without a meaning in this design. An operator shall not
 * have to find out. This table is the list; a key leaves it when what it sets is built. */

#include "base/str.h"
#include "runtime/log.h"
#include "settings/settings_impl.h"

enum told_when {
    TOLD_TRUE,          /* the key is switched on */
    TOLD_SET,           /* it has any value */
    TOLD_NONZERO,       /* a number other than 0 */
};

struct unbuilt {
    const char *section;
    const char *key;
    enum told_when when;
    int level;
    const char *why;
};

#define NOT_YET "is not built yet"

static const struct unbuilt table[] = {
    {"general", "no_webrtc_encryption", TOLD_TRUE, LOG_LEVEL_WARN, "plain RTP " NOT_YET ": media stays encrypted"},
    {"general", "debug_locks", TOLD_TRUE, LOG_LEVEL_WARN, "there are no locks to tell of"},
    {"general", "event_loops", TOLD_NONZERO, LOG_LEVEL_WARN, "media threads are one per core (general.workers)"},
    {"general", "allow_loop_indication", TOLD_TRUE, LOG_LEVEL_WARN, "clients can't choose a media thread"},
    {"general", "task_pool_size", TOLD_NONZERO, LOG_LEVEL_WARN, "there is no pool of threads for requests"},
    {"general", "exit_on_dl_error", TOLD_TRUE, LOG_LEVEL_VERB, "modules are built in"},
    {"general", "plugins_folder", TOLD_SET, LOG_LEVEL_VERB, "plugins are built in"},
    {"general", "transports_folder", TOLD_SET, LOG_LEVEL_VERB, "transports are built in"},
    {"general", "events_folder", TOLD_SET, LOG_LEVEL_VERB, "event handlers are built in"},
    {"general", "loggers_folder", TOLD_SET, LOG_LEVEL_VERB, "loggers are built in"},
    {"general", "configs_folder", TOLD_SET, LOG_LEVEL_VERB, "only the option --configs-folder sets it"},
    {"media", "min_nack_queue", TOLD_SET, LOG_LEVEL_WARN, "packets are kept for a second, once per source"},
    {"media", "nack_optimizations", TOLD_TRUE, LOG_LEVEL_WARN, "packets are kept for a second, once per source"},
    {"nat", "ignore_mdns", TOLD_TRUE, LOG_LEVEL_VERB, ".local candidates are always left to peer-reflexive discovery"},
    {"nat", "ice_consent_freshness", TOLD_TRUE, LOG_LEVEL_VERB, "consent is always kept"},
    {"nat", "ice_keepalive_conncheck", TOLD_TRUE, LOG_LEVEL_VERB, "consent checks are always sent"},
    {"media", "dtls_timeout", TOLD_SET, LOG_LEVEL_WARN, "DTLS retransmits after 50 ms, doubling"},
    {"nat", "ice_tcp", TOLD_TRUE, LOG_LEVEL_WARN, "ICE-TCP " NOT_YET ": candidates are UDP only"},
    {"nat", "turn_server", TOLD_SET, LOG_LEVEL_WARN, "relaying through TURN " NOT_YET},
    {"nat", "turn_rest_api", TOLD_SET, LOG_LEVEL_WARN, "the TURN REST API " NOT_YET},
    {"nat", "allow_force_relay", TOLD_TRUE, LOG_LEVEL_WARN, "relaying through TURN " NOT_YET},
    {"nat", "nice_debug", TOLD_SET, LOG_LEVEL_WARN, "obsolete; use debug_level 7"},
};

static bool is_told(const struct conf_node *group, const struct unbuilt *row)
{
    switch (row->when) {
    case TOLD_TRUE:
        return conf_bool(group, row->key, false);
    case TOLD_SET:
        return conf_text(group, row->key, "")[0] != '\0';
    case TOLD_NONZERO:
        return conf_int(group, row->key, 0) != 0;
    }
    return false;
}

void settings_note_unbuilt(struct settings *settings, const struct conf_node *root)
{
    for (size_t i = 0; i < ARRAY_COUNT(table); i++)
        if (is_told(conf_get(root, table[i].section), &table[i]))
            settings_note(settings, table[i].level, "%s.%s has no effect: %s", table[i].section, table[i].key, table[i].why);
}
