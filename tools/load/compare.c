/* The other side is a server of its own, or the floor: what this machine needs for the same packets with nothing else to do. The
 * floor runs where the server's packets leave: in its network namespace. */
#include "load/compare.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/floor/floor.h"

#define SIDES      2u
#define RTP_HEADER 24u              /* with the extensions that servers usually write: of the floor's packets */

/* From the child by a pipe: the report's texts lie at the same addresses in both. */
struct outcome {
    bool fine;
    struct report report;
    char error[256];
};

struct comparison {
    const struct options *options;
    const struct command *command;
    uint32_t rounds;                /* that are complete */
    struct report reports[SIDES][ROUNDS_MAX];
};

static bool enter_namespace_of(int pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const bool entered = fd >= 0 && setns(fd, CLONE_NEWNET) == 0;
    if (fd >= 0)
        close(fd);
    return entered;
}

static void run_floor(const struct options *options, struct outcome *out)
{
    char ip[NET_IP_TEXT];
    struct floor_result result;
    const struct floor_options pattern = {
        .receivers = options->count > 0 ? options->count : 20,
        .burst = options->media == MEDIA_ONLY_AUDIO || options->burst == 0 || options->gap_us > 0 ? 1 : options->burst,
        .size = options->bytes + RTP_HEADER,
        .bursts_per_s = options->fps * (options->gap_us > 0 ? options->burst : 1),
        .msec = options->seconds * 1000u,
        .profile = SEAL_AEAD_AES_128_GCM,
        .to = options->sink ? net_ip_text(&options->local, ip) : NULL,
    };
    out->report = (struct report){.command = options->command};
    if (options->sink && !enter_namespace_of(options->pid)) {
        snprintf(out->error, sizeof(out->error), "the server's namespace: %s", strerror(errno));
        return;
    }
    out->fine = floor_run(&pattern, &result) && result.wrong == 0;
    snprintf(out->error, sizeof(out->error), "floor: %s", result.wrong > 0 ? "the reader got something wrong" : result.error);
    report_add(&out->report, "server_cpu_per_packet", result.ns_per_packet / 1000, "us", 3);
    report_add(&out->report, "lost_video", (double)result.lost, "", 0);
}

static void run_command(const struct comparison *c, const struct options *options, struct outcome *out)
{
    struct load load;
    out->fine = load_init(&load, options) && c->command->run(&load) && !load.unwanted;
    out->report = load.report;
    memcpy(out->error, load.error, sizeof(out->error));
    load_fini(&load);
}

static _Noreturn void run_child(const struct comparison *c, unsigned side, int fd)
{
    static struct outcome out;
    struct options options = *c->options;
    if (side == 1 && options.compare_floor) {
        run_floor(&options, &out);
    } else {
        options.server = side == 0 ? options.server : options.other;
        options.pid = side == 0 ? options.pid : options.other_pid;
        run_command(c, &options, &out);
    }
    _exit(write(fd, &out, sizeof(out)) == (ssize_t)sizeof(out) ? 0 : 1);
}

static bool take_outcome(int fd, struct outcome *out)
{
    size_t have = 0;
    for (ssize_t got; have < sizeof(*out); have += (size_t)got)
        if ((got = read(fd, (char *)out + have, sizeof(*out) - have)) <= 0)
            return false;
    return true;
}

static bool run_side(struct comparison *c, unsigned side)
{
    static struct outcome out;
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    const int pid = fork();
    if (pid == 0)
        run_child(c, side, ends[1]);
    close(ends[1]);
    out.fine = false;
    snprintf(out.error, sizeof(out.error), "the run ended without a result");
    const bool told = pid > 0 && take_outcome(ends[0], &out);
    close(ends[0]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (!told || !out.fine) {
        fprintf(stderr, "cardea-load %s, %s side, round %u: %s\n", c->options->command, side == 0 ? "first" : "second", c->rounds + 1, out.error);
        return false;
    }
    c->reports[side][c->rounds] = out.report;
    return true;
}

/* ---- what came out ---- */

struct spread {
    double median, least, most;
};

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static struct spread spread_of(double *values, uint32_t count)
{
    qsort(values, count, sizeof(*values), compare_doubles);
    const double median = count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
    return (struct spread){median, values[0], values[count - 1]};
}

static const struct report_row *find_row(const struct report *report, const char *name)
{
    for (uint32_t i = 0; i < report->count; i++)
        if (strcmp(report->rows[i].name, name) == 0 && report->rows[i].text == NULL)
            return &report->rows[i];
    return NULL;
}

/* Of all rounds; false: a round has no such row. */
static bool spread_rows(const struct comparison *c, unsigned side, const char *name, struct spread *out)
{
    double values[ROUNDS_MAX];
    for (uint32_t i = 0; i < c->rounds; i++) {
        const struct report_row *row = find_row(&c->reports[side][i], name);
        if (row == NULL)
            return false;
        values[i] = row->value;
    }
    *out = spread_of(values, c->rounds);
    return true;
}

/* Second to first, round by round: what the machine did in between is left out. */
static bool spread_ratio(const struct comparison *c, const char *name, struct spread *out)
{
    double values[ROUNDS_MAX];
    for (uint32_t i = 0; i < c->rounds; i++) {
        const struct report_row *first = find_row(&c->reports[0][i], name), *second = find_row(&c->reports[1][i], name);
        if (first == NULL || second == NULL || first->value == 0)
            return false;
        values[i] = second->value / first->value;
    }
    *out = spread_of(values, c->rounds);
    return true;
}

static void print_spread(const char *name, const struct spread *spread, bool json, int decimals)
{
    printf(json ? ",\"%s\":{\"median\":%.*f,\"least\":%.*f,\"most\":%.*f}" : "  %s %.*f (%.*f to %.*f)", name, decimals, spread->median, decimals,
           spread->least, decimals, spread->most);
}

static void print_row(const struct comparison *c, const char *name, int decimals)
{
    static const char *const sides[SIDES] = {"first", "second"};
    const bool json = c->options->json;
    struct spread spread;
    printf(json ? ",\"%s\":{\"rounds\":%u" : "%-28s", name, c->rounds);
    for (unsigned side = 0; side < SIDES; side++)
        if (spread_rows(c, side, name, &spread))
            print_spread(sides[side], &spread, json, decimals);
    if (spread_ratio(c, name, &spread))
        print_spread("ratio", &spread, json, 3);
    printf(json ? "}" : "\n");
}

static void print_all(const struct comparison *c)
{
    const struct report *first = &c->reports[0][0];
    if (c->options->json)
        printf("{\"command\":\"%s\"", c->options->command);
    for (uint32_t i = 0; i < first->count; i++)
        if (first->rows[i].text == NULL)
            print_row(c, first->rows[i].name, first->rows[i].decimals);
    if (c->options->json)
        printf("}\n");
    fflush(stdout);
}

int compare_run(const struct options *options, const struct command *command)
{
    static struct comparison c;
    c.options = options;
    c.command = command;
    while (c.rounds < options->rounds) {
        if (!run_side(&c, 0) || !run_side(&c, 1))
            return 1;
        c.rounds++;
    }
    print_all(&c);
    return 0;
}
