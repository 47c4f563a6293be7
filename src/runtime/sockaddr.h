/* runtime/sockaddr.h - between base/net.h and the kernel's address structures. Runtime only. */
#pragma once

#include <sys/socket.h>

#include "base/net.h"

/* Returns the size of the address. `family` NET_NONE is not allowed. */
socklen_t sockaddr_of(struct sockaddr_storage *out, const struct net_addr *addr);
/* For a socket of AF_INET6: IPv4 addresses are written mapped. */
socklen_t sockaddr_of_mapped(struct sockaddr_storage *out, const struct net_addr *addr);
/* Canonical: mapped IPv6 becomes IPv4. Other families give NET_NONE. */
void sockaddr_to(struct net_addr *out, const struct sockaddr *addr);
