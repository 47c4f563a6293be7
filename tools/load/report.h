/* load/report.h - the result of a run: named values, as a short table or as one JSON object. */
#pragma once

#include "base/types.h"

#define REPORT_ROWS_MAX 48u

struct report_row {
    const char *name;
    const char *unit;           /* "" for counts */
    double value;
    const char *text;           /* instead of a value; NULL: none */
    int decimals;
};

struct report {
    const char *command;
    uint32_t count;
    struct report_row rows[REPORT_ROWS_MAX];
};

/* Texts are static. */
void report_add(struct report *report, const char *name, double value, const char *unit, int decimals);
void report_add_text(struct report *report, const char *name, const char *text);
void report_print(const struct report *report, bool json);
