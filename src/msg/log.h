/* msg/log.h - what the log actor can be told. Lines themselves come over lanes (runtime/log.h). */
#pragma once

#include "base/types.h"

#define LOG_MESSAGES(X)                                              \
    /* name        from           payload                         */ \
    X(ROTATE,      MAIN,          nothing)                            \
    X(CONFIGURE,   CONTROL,       struct log_configure)               \
    X(TAIL,        IO,            struct log_tail)

enum log_message {
    LOG_NONE,
#define X(name, from, payload) LOG_##name,
    LOG_MESSAGES(X)
#undef X
};

/* The last lines, please, that are newer than this one. The answer is IO_LINES, with the same op. */
struct log_tail {
    uint64_t after;                 /* a line's serial; 0: all */
};

/* What the Admin API may change at run time. (The level is log_set_level: every actor asks it before it formats.) */
struct log_configure {
    bool timestamps;
    bool colors;
};
