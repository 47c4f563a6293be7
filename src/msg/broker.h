/* msg/broker.h - what the actors that speak with message brokers (MQTT, RabbitMQ) can be told by io, and by the host of event handlers.
 *
 * Texts go both ways in windows, so that neither side piles up: a broker's actor hands io at most BROKER_WINDOW texts that io has not
 * said it has read (READ); io hands it at most BROKER_AHEAD texts, or BROKER_AHEAD_BYTES, that it has not said have been taken (msg/io.h,
 * BROKER_TAKEN). What is more waits with io, within a client's limits. */
#pragma once

#include "base/types.h"

#define BROKER_MESSAGES(X)                                                            \
    /* name        from           payload                                          */ \
    X(SEND,        IO,            struct broker_send)                                 \
    X(READ,        IO,            struct broker_read)

enum broker_message {
    BROKER_NONE,
#define X(name, from, payload) BROKER_##name,
    BROKER_MESSAGES(X)
#undef X
};

#define BROKER_WINDOW      16u
#define BROKER_AHEAD       64u
#define BROKER_AHEAD_BYTES (1024u * 1024u)      /* and one more text */

/* A reply or an event; `size` bytes of text follow. */
struct broker_send {
    uint32_t tag;                   /* of the request that it answers, as its actor has named it (msg/io.h, BROKER_TEXT); 0: an event */
    bool admin;
    uint32_t size;
    char text[];
};

/* io has read that many texts. */
struct broker_read {
    uint32_t count;
};
