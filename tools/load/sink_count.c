#include "load/sink_count.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool sink_count(struct sink_count *out)
{
    char line[256];
    bool found = false;
    FILE *list = popen("nft list chain netdev sink in 2> /dev/null", "re");
    if (list == NULL)
        return false;
    while (fgets(line, sizeof(line), list) != NULL) {
        const char *counter = strstr(line, "counter packets ");
        if (counter != NULL)
            found = sscanf(counter, "counter packets %" SCNu64 " bytes %" SCNu64, &out->datagrams, &out->bytes) == 2;
    }
    return pclose(list) == 0 && found;
}
