/* runtime/localaddr.h - which of this machine's addresses we offer (webrtc.md 6, Interfaces). Asked once, at start. */
#pragma once

#include "base/net.h"

#define LOCALADDR_MAX  16u
#define LOCALADDR_NAME 16u

struct localaddr {
    struct net_addr addr;               /* port 0 */
    char interface[LOCALADDR_NAME];
    bool up;                            /* up and running */
    bool loopback;
};

struct localaddr_list {
    struct localaddr items[LOCALADDR_MAX];
    uint32_t count;
};

/* An entry names an interface or an address, by prefix; one that is a whole address means just that address. */
struct localaddr_rules {
    bool ip6;
    bool ip6_linklocal;                 /* only with ip6 */
    const char *const *enforce;         /* when there are any: nothing else is used */
    uint32_t enforce_count;
    const char *const *ignore;          /* names not consulted with an enforce list; addresses always */
    uint32_t ignore_count;
};

/* Every address of the machine; false: errno. More than LOCALADDR_MAX are cut off, interfaces that are down first. */
bool localaddr_read(struct localaddr_list *all);

/* What of `all` the rules let through. Pure. A machine that has nothing but loopback, and no enforce list, offers that. */
void localaddr_select(struct localaddr_list *out, const struct localaddr_list *all, const struct localaddr_rules *rules);

/* The address for o=, c= and `local-ip`: `interface` (NULL: any) is one of our addresses or an interface's name. False when
 * it names nothing of ours: *out is then found without it; 127.0.0.1 when there is nothing at all. Pure. */
bool localaddr_local_ip(struct net_addr *out, const struct localaddr_list *all, const char *interface, bool ip6);
