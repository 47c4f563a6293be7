/* STUN messages as a stranger may write them: quick looks, parse, the walk over attributes, and the discovery client. */
#include <stdint.h>

#include "proto/stun/stun_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view datagram = VIEW(data, size);
    struct stun_message m;
    struct stun_query query = {.state = STUN_QUERY_ASKING, .sends = 1};
    const struct net_addr from = {0};
    bool parsed = stun_parse(&m, datagram);
    if (!stun_is_message(datagram)) {
        if (parsed)
            __builtin_trap();
        return 0;
    }
    struct view ufrag;
    (void)stun_peek_local_ufrag(datagram, &ufrag);
    struct reader attrs = stun_attrs(datagram);
    struct stun_attr attr;
    struct net_addr addr;
    while (stun_next_attr(&attrs, datagram, &attr))
        (void)stun_read_xor_address(&addr, attr.value, stun_txid_of(datagram));
    __builtin_memcpy(query.txid, stun_txid_of(datagram), sizeof(query.txid));
    if (stun_query_input(&query, &from, datagram) && !parsed)
        __builtin_trap();
    return 0;
}
