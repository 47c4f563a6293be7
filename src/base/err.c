#include "base/err.h"

const char *err_name(enum err err)
{
    switch (err) {
    case ERR_NONE: return "none";
    case ERR_INVALID: return "invalid";
    case ERR_FULL: return "full";
    case ERR_GONE: return "gone";
    case ERR_STATE: return "state";
    case ERR_AUTH: return "auth";
    case ERR_REPLAY: return "replay";
    case ERR_UNSUPPORTED: return "unsupported";
    case ERR_IO: return "io";
    case ERR_TIMEOUT: return "timeout";
    }
    return "unknown";
}
