/* base/err.h - what can go wrong, for functions that return `enum err` (0 is fine). */
#pragma once

enum err {
    ERR_NONE = 0,
    ERR_INVALID,   /* the input breaks its grammar or its limits */
    ERR_FULL,      /* a pool, table, queue or budget is at its named limit */
    ERR_GONE,      /* the name no longer resolves */
    ERR_STATE,     /* right input, wrong moment */
    ERR_AUTH,      /* authentication or integrity failed */
    ERR_REPLAY,    /* seen before, or too old to tell */
    ERR_UNSUPPORTED,
    ERR_IO,        /* the system or a library refused; errno or its own text says more */
    ERR_TIMEOUT,
};

const char *err_name(enum err err);
