#include "base/date.h"

#include <stdio.h>

/* Gregorian years come in turns of 400 (146,097 days). Counted from 1 March, a leap day is the last of its year, so no month needs
 * to be asked about it. */
#define DAYS_PER_ERA      146097u
#define DAYS_TO_1970      719468u       /* from 0000-03-01 */

static void civil(uint64_t day, uint32_t *year, uint32_t *month, uint32_t *day_of_month)
{
    const uint64_t days = day + DAYS_TO_1970, era = days / DAYS_PER_ERA;
    const uint32_t of_era = (uint32_t)(days % DAYS_PER_ERA);
    const uint32_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const uint32_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const uint32_t from_march = (5 * of_year + 2) / 153;        /* months of 31, 30, 31, 30, 31 days: 153 in five */
    *day_of_month = of_year - (153 * from_march + 2) / 5 + 1;
    *month = from_march < 10 ? from_march + 3 : from_march - 9;
    *year = (uint32_t)(era * 400) + year_of_era + (*month <= 2);
}

void date_text(uint64_t seconds, int32_t offset_s, char out[DATE_TEXT])
{
    const uint32_t ahead = offset_s < 0 ? (uint32_t)-offset_s : (uint32_t)offset_s;
    const uint64_t local = offset_s < 0 ? (seconds < ahead ? 0 : seconds - ahead) : seconds + ahead;
    const uint32_t of_day = (uint32_t)(local % 86400);
    uint32_t year, month, day;
    civil(local / 86400, &year, &month, &day);
    snprintf(out, DATE_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u%c%02u%02u", year % 10000, month, day, of_day / 3600, of_day / 60 % 60, of_day % 60,
             offset_s < 0 ? '-' : '+', ahead / 3600 % 100, ahead / 60 % 60);
}
