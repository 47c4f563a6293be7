/* Writing heads. */
#include <stdio.h>

#include "base/str.h"
#include "proto/http/http.h"

const char *http_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *text;
    } table[] = {
        {100, "Continue"}, {101, "Switching Protocols"}, {200, "OK"}, {204, "No Content"}, {302, "Found"},
        {304, "Not Modified"}, {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
        {408, "Request Timeout"}, {413, "Content Too Large"}, {417, "Expectation Failed"}, {426, "Upgrade Required"},
        {431, "Request Header Fields Too Large"}, {500, "Internal Server Error"}, {503, "Service Unavailable"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++)
        if (table[i].status == status)
            return table[i].text;
    return "";          /* the phrase may be empty (RFC 9112 4) */
}

void http_write_status(struct buf *out, unsigned status)
{
    buf_addf(out, "HTTP/1.1 %03u %s\r\n", status, http_reason(status));
}

bool http_write_field(struct buf *out, const char *name, struct view value)
{
    for (size_t i = 0; i < value.size; i++)
        if ((value.data[i] < ' ' && value.data[i] != '\t') || value.data[i] == 0x7F)
            return false;
    buf_add_text(out, name);
    buf_add(out, ": ", 2);
    buf_add_view(out, value);
    buf_add(out, "\r\n", 2);
    return true;
}

void http_write_text(struct buf *out, const char *name, const char *value)
{
    http_write_field(out, name, str_of(value));
}

void http_write_number(struct buf *out, const char *name, uint64_t value)
{
    buf_addf(out, "%s: %llu\r\n", name, (unsigned long long)value);
}

void http_write_end(struct buf *out)
{
    buf_add(out, "\r\n", 2);
}

/* Days since 1970-01-01 to year, month, day: eras of 400 years, starting in March, so that leap days come last. */
static void civil_date(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    uint64_t z = days + 719468;                  /* days from 0000-03-01 to 1970-01-01 */
    uint64_t era = z / 146097;
    unsigned doe = (unsigned)(z % 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (unsigned)(era * 400) + yoe + (*month <= 2 ? 1 : 0);
}

const char *http_date(uint64_t unix_seconds, char out[HTTP_DATE_TEXT])
{
    static const char *const day_names[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const uint64_t last = 253402300799u;         /* 9999-12-31: the format has four digits */
    uint64_t s = unix_seconds < last ? unix_seconds : last;
    unsigned year, month, day, rest = (unsigned)(s % 86400);
    civil_date(s / 86400, &year, &month, &day);
    snprintf(out, HTTP_DATE_TEXT, "%s, %02u %s %04u %02u:%02u:%02u GMT", day_names[s / 86400 % 7], day % 100,
             month_names[month - 1], year % 10000, rest / 3600, rest / 60 % 60, rest % 60);
    return out;
}
