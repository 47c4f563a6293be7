/* proto/sctp/dcep_internal.h - what dcep.c and dcep_message.c share. */
#pragma once

#include "proto/sctp/dcep.h"

/* RFC 8832 8.2.1 */
enum {
    DCEP_MESSAGE_ACK = 2,
    DCEP_MESSAGE_OPEN = 3,
};
