/* msg/log.h - what the log actor can be told. Lines themselves come over lanes (runtime/log.h). */
#pragma once

#include "base/types.h"

#define LOG_MESSAGES(X)                                              \
    /* name        from           payload                         */ \
    X(ROTATE,      MAIN,          nothing)                            \
    X(CONFIGURE,   CONTROL,       struct log_configure)

enum log_message {
    LOG_NONE,
#define X(name, from, payload) LOG_##name,
    LOG_MESSAGES(X)
#undef X
};

/* What the Admin API may change at run time. (The level is log_set_level: every actor asks it before it formats.) */
struct log_configure {
    bool timestamps;
    bool colors;
};
