/* msg/dns.h - the resolver helper. Names that end in .local are never asked here (design section 7). */
#pragma once

#include "base/net.h"

#define DNS_MESSAGES(X)                                              \
    /* name        from           payload                         */ \
    X(ASK,         anybody,       struct dns_ask)                     \
    X(STUN,        CONTROL,       struct dns_stun_ask)

enum dns_message {
    DNS_NONE,
#define X(name, from, payload) DNS_##name,
    DNS_MESSAGES(X)
#undef X
};

#define DNS_NAME_MAX    253u            /* RFC 1035 2.3.4, as text */
#define DNS_ANSWERS_MAX 8u

struct dns_ask {
    uint16_t answer;                    /* message type, in the asker's table, that carries the struct dns_answer */
    uint16_t port;                      /* copied into the addresses */
    uint8_t family;                     /* enum net_family; NET_NONE: any */
    char name[DNS_NAME_MAX + 1];
};

/* What is our address, as that server sees it? Asked here since it may take five seconds. */
struct dns_stun_ask {
    uint16_t answer;                    /* message type that carries the struct dns_stun_answer */
    uint16_t local_port;                /* 0: any */
    struct net_addr server;
};

struct dns_stun_answer {
    bool fine;
    struct net_addr mapped;
};

/* Comes with the op of the question. */
struct dns_answer {
    uint32_t count;                     /* 0: not found, or no answer: `error` says why */
    struct net_addr addrs[DNS_ANSWERS_MAX];
    char error[64];
};
