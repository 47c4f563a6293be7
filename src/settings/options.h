/* settings/options.h - the command line (config-core.md 8). Most options are a key of janus.jcfg said on the command line, so
 * they are kept as such: section, key, value; settings.c puts them over the file's. */
#pragma once

#include "base/types.h"

#define OPTIONS_SET_MAX 128u

struct option_value {
    const char *section;
    const char *key;
    const char *value;
};

struct options {
    struct option_value set[OPTIONS_SET_MAX];       /* in the order given: a later one wins */
    uint32_t set_count;
    const char *config_file;                        /* -C */
    const char *configs_folder;                     /* -F */
    const char *cwd_path;                           /* -H */
    const char *web_folder;                         /* --web-folder */
    bool log_stdout_forced;                         /* --log-stdout */
    bool help;
    bool version;
    char error[160];                                /* why options_parse said false */
};

/* Texts point into argv. False: an unknown option, or a value that is no number where one is needed. */
bool options_parse(struct options *options, int argc, char **argv);

/* The usage, on standard output. */
void options_print_help(const char *program);
