#include "load/report.h"

#include <math.h>
#include <stdio.h>

#include "base/check.h"

void report_add(struct report *report, const char *name, double value, const char *unit, int decimals)
{
    CHECK(report->count < REPORT_ROWS_MAX);
    report->rows[report->count++] = (struct report_row){.name = name, .unit = unit, .value = isfinite(value) ? value : 0, .decimals = decimals};
}

void report_add_text(struct report *report, const char *name, const char *text)
{
    CHECK(report->count < REPORT_ROWS_MAX);
    report->rows[report->count++] = (struct report_row){.name = name, .unit = "", .text = text};
}

void report_print(const struct report *report, bool json)
{
    if (json)
        printf("{\"command\":\"%s\"", report->command);
    for (uint32_t i = 0; i < report->count; i++) {
        const struct report_row *row = &report->rows[i];
        if (row->text != NULL)
            printf(json ? ",\"%s\":\"%s\"" : "%-32s %14s\n", row->name, row->text);
        else if (json)
            printf(",\"%s\":%.*f", row->name, row->decimals, row->value);
        else
            printf("%-32s %14.*f %s\n", row->name, row->decimals, row->value, row->unit);
    }
    if (json)
        printf("}\n");
    fflush(stdout);
}
