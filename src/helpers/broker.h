/* helpers/broker.h - io's side of an actor that speaks with a message broker (msg/broker.h): what io has to say, in order, and how many
 * texts io will still take. Owner: that actor. */
#pragma once

#include "base/list.h"
#include "msg/broker.h"
#include "runtime/actor.h"

struct broker_desk {
    struct actor *actor;
    uint8_t transport;                   /* enum transport_kind */
    bool up;                             /* as io knows it */
    uint32_t last_tag;
    uint32_t window;                     /* texts that io will still take */
    struct list out;
    uint32_t out_count;
    uint32_t taken, taken_bytes;         /* io is told at the end of the turn */
};

void broker_desk_init(struct broker_desk *desk, struct actor *actor, uint8_t transport);
void broker_desk_fini(struct broker_desk *desk);
void broker_desk_message(struct broker_desk *desk, const struct message *m);

/* The name of the next request, before it is handed over. */
uint32_t broker_desk_tag(struct broker_desk *desk);
/* A request for io; the window must be open. */
void broker_desk_ask(struct broker_desk *desk, uint32_t tag, bool admin, struct view text);
/* The first of what io has to say; NULL: nothing. Then that it is taken. */
const struct broker_send *broker_desk_first(const struct broker_desk *desk);
void broker_desk_done(struct broker_desk *desk);
/* At the end of a turn: what has been taken, and whether the broker is there. */
void broker_desk_tell(struct broker_desk *desk, bool up);

const char *broker_type_name(uint16_t type);

/* What is longer than a request may be is answered by the broker's actor itself. */
#define BROKER_TEXT_BYTES_MAX (1024u * 1024u)
struct view broker_refusal(void);

/* Whether a broker there can only be reached from this machine. */
bool broker_host_is_local(const char *host);
