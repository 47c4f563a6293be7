/* cardea-load - makes a server work and says what that cost. Loopback, one thread, bounded in count and time. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "load/compare.h"
#include "load/load.h"

const struct command commands[] = {
    {"api", cmd_api}, {"idle", cmd_idle}, {"peers", cmd_peers}, {"room", cmd_room}, {"clients", cmd_clients},
    {"storm", cmd_storm}, {"text", cmd_text}, {NULL, NULL},
};

static const struct command *find(const char *name)
{
    const struct command *command = commands;
    while (command->name != NULL && strcmp(command->name, name) != 0)
        command++;
    return command->name == NULL ? NULL : command;
}

int main(int argc, char **argv)
{
    struct options options;
    struct load load;
    bool asked;
    if (!options_read(&options, argc, argv, &asked))
        return asked ? 0 : 2;
    const struct command *command = find(options.command);
    if (command == NULL) {
        fprintf(stderr, "cardea-load: no command '%s' (--help lists them)\n", options.command);
        return 2;
    }
    if ((options.pid != 0 && !proc_is_alive(options.pid)) || (options.other_pid != 0 && !proc_is_alive(options.other_pid))) {
        fprintf(stderr, "cardea-load: there is no process %d or %d\n", options.pid, options.other_pid);
        return 2;
    }
    if (options.compare_floor && strcmp(options.command, "room") != 0) {
        fprintf(stderr, "cardea-load: the floor forwards, it answers no requests: --compare floor goes with room\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    (void)proc_raise_descriptors();
    if (options.compare)
        return compare_run(&options, command);
    bool fine = load_init(&load, &options) && command->run(&load);
    if (fine)
        report_print(&load.report, options.json);
    else
        fprintf(stderr, "cardea-load %s: %s\n", options.command, load.error);
    load_fini(&load);
    return fine && !load.unwanted ? 0 : 1;
}
