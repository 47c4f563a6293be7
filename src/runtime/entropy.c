#include "runtime/entropy.h"

#include <errno.h>
#include <sys/random.h>

#include "base/check.h"

void entropy_fill(void *source, uint8_t *out, size_t size)
{
    (void)source;
    size_t got = 0;
    while (got < size) {
        ssize_t part = getrandom(out + got, size - got, 0);
        if (part < 0 && errno == EINTR)
            continue;
        CHECK(part > 0);
        got += (size_t)part;
    }
}
