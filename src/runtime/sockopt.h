/* runtime/sockopt.h - options for the sockets that a library has opened. */
#pragma once

#include "base/types.h"

/* A peer that confirms nothing for so long has gone, whether we have something to send or not. */
void sockopt_patience(int fd, usec_t patience_us);
