/* base/mem.h and base/check.h in the simulator. Memory is counted, so that a run can show that all of it came home, and in the
 * second run of a seed it lies elsewhere and holds other rubbish. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "sim/world.h"

#define RUBBISH_MAX 512u

static size_t padded(size_t size)
{
    if (sim == NULL || !sim->perturbed)
        return size > 0 ? size : 1;
    return size + sim_below(&sim->perturb, 8) * 16 + 1;
}

static void *taken(void *block)
{
    if (block == NULL)
        abort();
    if (sim != NULL) {
        sim->memory_blocks++;
        sim->memory_taken++;
    }
    return block;
}

void *mem_get(size_t size)
{
    void *block = taken(malloc(padded(size)));
    memset(block, sim != NULL && sim->perturbed ? 0xA5 : 0x5A, size < RUBBISH_MAX ? size : RUBBISH_MAX);
    return block;
}

void *mem_get_zero(size_t size)
{
    return taken(calloc(1, padded(size)));
}

void *mem_resize(void *block, size_t size)
{
    void *resized = realloc(block, padded(size));
    if (resized == NULL)
        abort();
    if (block == NULL)
        (void)taken(resized);
    return resized;
}

void mem_put(void *block)
{
    if (block != NULL && sim != NULL)
        sim->memory_blocks--;
    free(block);
}

bool mem_refuse_pool(void)
{
    if (sim == NULL || !sim->in_server || !sim_chance(&sim->network, sim->faults.pool_ppm))
        return false;
    sim->pool_refusals++;
    return true;
}

_Noreturn void check_failed(const char *condition, const char *file, int line)
{
    if (sim != NULL)
        sim_fail("check", "%s:%d: CHECK(%s)", file, line, condition);
    abort();                            /* the run's process ends; who started it reports (run.c) */
}
