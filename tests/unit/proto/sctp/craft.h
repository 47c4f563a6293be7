/* Packets as a peer of ill will could write them: with the right checksum and ports, and whatever tag and chunks. */
#pragma once

#include "net.h"
#include "proto/sctp/sctp_internal.h"

struct craft {
    struct sctp_packer p;
    uint8_t bytes[SCTP_PACKET_MAX];
};

struct craft craft_begin(uint32_t tag);
void craft_chunk(struct craft *craft, uint8_t type, uint8_t flags, struct view value);
void craft_init(struct craft *craft, uint8_t type, uint32_t tag, uint16_t streams_out, uint16_t streams_in);
/* A DATA chunk; `flags`: SCTP_FLAG_B and so on. */
void craft_data(struct craft *craft, uint8_t flags, uint32_t tsn, uint16_t stream, uint16_t ssn, struct view payload);
void craft_send(struct net *net, int to, struct craft *craft);

/* Any bytes; `mend`: with the checksum that they should have. */
void craft_input(struct net *net, int to, struct view packet, bool mend);

/* One DATA chunk from the other side, with the tag and the next TSN + `ahead`. */
void craft_data_to(struct net *net, int to, uint8_t flags, uint32_t ahead, uint16_t stream, uint16_t ssn, struct view payload);

/* What sctp_internal.h promises of an association between two calls. */
void craft_check(const struct sctp *sctp);
