/* msg/main.h - what the main actor can be told, beside ACTOR_STOPPED. */
#pragma once

#include "base/types.h"

#define MAIN_MESSAGES(X)                                             \
    /* name        from           payload                         */ \
    X(DRAINED,     CONTROL,       nothing)

enum main_message {
    MAIN_NONE,
#define X(name, from, payload) MAIN_##name,
    MAIN_MESSAGES(X)
#undef X
};
