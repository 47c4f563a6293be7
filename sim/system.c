/* The rest of what the server asks its machine for: files (runtime/file.h), addresses, names. */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "runtime/file.h"
#include "runtime/sockaddr.h"
#include "sim/network.h"
#include "sim/server.h"

enum err file_read(const char *path, struct buf *out)
{
    const char *text = server_file(path);
    if (text == NULL) {
        errno = ENOENT;
        return ERR_IO;
    }
    buf_add_text(out, text);
    return out->failed ? ERR_FULL : ERR_NONE;
}

/* The server's machine has one address. */
int getifaddrs(struct ifaddrs **first)
{
    static char name[] = "sim0";
    static struct sockaddr_storage address;
    static struct ifaddrs one = {.ifa_name = name, .ifa_flags = IFF_UP | IFF_RUNNING, .ifa_addr = (struct sockaddr *)&address};
    struct net_addr ip;
    (void)net_ip_parse(&ip, STR(SERVER_IP));
    (void)sockaddr_of(&address, &ip);
    *first = &one;
    return 0;
}

void freeifaddrs(struct ifaddrs *first)
{
    (void)first;
}

/* No name is known, and none is asked for on the machine that runs this. */
int getaddrinfo(const char *restrict node, const char *restrict service, const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
    (void)node;
    (void)service;
    (void)hints;
    *out = NULL;
    return EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *first)
{
    (void)first;
}
