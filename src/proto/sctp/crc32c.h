/* proto/sctp/crc32c.h - the checksum of SCTP packets (RFC 9260 6.8, appendix A). Inside proto/sctp only. */
#pragma once

#include "base/types.h"

/* Of `bytes` after `before`; start with 0. */
uint32_t crc32c(uint32_t before, struct view bytes);
uint32_t crc32c_by_table(uint32_t before, struct view bytes);      /* the same where the CPU has no instruction for it */
