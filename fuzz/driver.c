/* Runs a fuzz target over every file of a folder, then over every prefix of each (truncated at every byte), and supplies
 * the seams of base. With FUZZ_ENGINE only the seams: libFuzzer brings its own main. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Programs that link the unit tests' doubles have those tests' seams. */
#ifndef FUZZ_SEAMS_ELSEWHERE
_Noreturn void check_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: CHECK(%s)\n", file, line, condition);
    abort();
}

void *mem_get(size_t size)
{
    void *p = malloc(size > 0 ? size : 1);
    if (p == NULL)
        abort();
    return p;
}

void *mem_get_zero(size_t size)
{
    void *p = calloc(1, size > 0 ? size : 1);
    if (p == NULL)
        abort();
    return p;
}

void *mem_resize(void *ptr, size_t size)
{
    void *p = realloc(ptr, size > 0 ? size : 1);
    if (p == NULL)
        abort();
    return p;
}

void mem_put(void *ptr)
{
    free(ptr);
}

bool mem_refuse_pool(void)
{
    return false;
}
#endif

#ifndef FUZZ_ENGINE
#define PREFIXES_UP_TO 4096u

/* An exact-size copy, so that a sanitizer sees the first byte read beyond the input. */
static void run_one(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static bool run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    static uint8_t data[1 << 20];
    size_t size = fread(data, 1, sizeof(data), file);
    fclose(file);
    run_one(data, size);
    for (size_t cut = 0; cut < size && cut < PREFIXES_UP_TO; cut++)
        run_one(data, cut);
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    DIR *folder = opendir(argv[1]);
    if (folder == NULL) {
        perror(argv[1]);
        return 1;
    }
    unsigned files = 0;
    bool fine = true;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        char path[4096];
        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        fine = run_file(path) && fine;
        files++;
    }
    closedir(folder);
    printf("%u corpus files\n", files);
    return fine && files > 0 ? 0 : 1;
}
#endif
