/* Where settings come from: the command line says which file, the file is read, and the command line has the last word. */
#include "settings/settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/str.h"
#include "runtime/file.h"
#include "runtime/log.h"
#include "settings/module.h"
#include "settings/options.h"
#include "settings/settings_impl.h"

#define NOTES_MAX 200u

struct kept {
    struct list node;
    char text[];
};

struct settings_memory {
    struct conf_node *root;
    struct list kept;
    uint32_t note_count;
    struct {
        int level;
        const char *text;
    } notes[NOTES_MAX];
};

/* ---- memory and notes */

const char *settings_keep(struct settings *settings, struct view text)
{
    struct kept *kept = mem_get(sizeof(*kept) + text.size + 1);
    list_init(&kept->node);
    list_add_tail(&settings->memory->kept, &kept->node);
    if (text.size > 0)
        memcpy(kept->text, text.data, text.size);
    kept->text[text.size] = '\0';
    return kept->text;
}

void settings_note(struct settings *settings, int level, const char *format, ...)
{
    struct settings_memory *memory = settings->memory;
    if (memory->note_count == NOTES_MAX)
        return;
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    memory->notes[memory->note_count].level = level;
    memory->notes[memory->note_count++].text = settings_keep(settings, str_of(text));
}

uint32_t settings_note_count(const struct settings *settings)
{
    return settings->memory->note_count;
}

const char *settings_note_at(const struct settings *settings, uint32_t index, int *level)
{
    *level = settings->memory->notes[index].level;
    return settings->memory->notes[index].text;
}

static void init(struct settings *settings)
{
    *settings = (struct settings){.configs_folder = CARDEA_CONFIGS_FOLDER};
    settings->memory = mem_get_zero(sizeof(*settings->memory));
    list_init(&settings->memory->kept);
}

void settings_fini(struct settings *settings)
{
    if (settings->memory == NULL)
        return;
    for (struct list *node; (node = list_pop(&settings->memory->kept)) != NULL;)
        mem_put(CONTAINER_OF(node, struct kept, node));
    conf_free(settings->memory->root);
    mem_put(settings->memory);
    settings->memory = NULL;
}

/* ---- files */

static bool read_include(void *owner, const char *path, struct buf *out)
{
    (void)owner;
    return file_read(path, out) == ERR_NONE;
}

struct conf_node *conf_load(const char *path, struct conf_error *error)
{
    const struct conf_includes includes = {.read = read_include};
    struct buf text;
    buf_init(&text, CONF_TEXT_MAX);
    enum err err = file_read(path, &text);
    struct conf_node *root = NULL;
    *error = (struct conf_error){0};
    if (err == ERR_NONE)
        root = conf_parse(buf_view(&text), conf_format_of(path), &includes, error);
    else
        snprintf(error->text, sizeof(error->text), "%s", err == ERR_FULL ? "too long for a configuration" : strerror(errno));
    buf_fini(&text);
    return root;
}

/* A missing file is a normal case (false); one that is there but can't be used is noted. */
static bool try_file(struct settings *settings, const char *path, struct conf_node **root, bool *broken)
{
    struct conf_error error;
    errno = 0;
    *root = conf_load(path, &error);
    if (*root != NULL)
        return true;
    if (errno == ENOENT && error.line == 0)
        return false;
    *broken = true;
    if (error.line == 0)
        settings_note(settings, LOG_LEVEL_ERR, "%s: %s", path, error.text);
    else
        settings_note(settings, LOG_LEVEL_ERR, "%s, line %u: %s", error.file[0] != '\0' ? error.file : path, error.line, error.text);
    return false;
}

static const char *path_in(struct settings *settings, const char *name, const char *suffix)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s%s", settings->configs_folder, name, suffix);
    return settings_keep(settings, str_of(path));
}

/* config-core.md 1.2, with one difference: a file that is there but can't be used never means "start with defaults", because
 * the secrets that it set would silently be gone. */
static struct conf_node *read_main_file(struct settings *settings, const char *given)
{
    struct conf_node *root;
    bool broken = false;
    const char *first = given != NULL ? given : path_in(settings, "janus", ".jcfg");
    const char *second = path_in(settings, "janus", ".cfg");
    if (try_file(settings, first, &root, &broken)) {
        settings->config_file = first;
        return root;
    }
    if (try_file(settings, second, &root, &broken)) {
        settings_note(settings, LOG_LEVEL_WARN, "%s can't be used, so %s was read", first, second);
        settings->config_file = second;
        return root;
    }
    if (given == NULL && !broken) {
        settings_note(settings, LOG_LEVEL_WARN, "No %s: built-in defaults", first);
        return conf_new();
    }
    settings_note(settings, LOG_LEVEL_FATAL, "The configuration %s can't be used", first);
    return NULL;
}

struct conf_node *module_conf_load(struct settings *settings, const char *package, bool *found)
{
    struct conf_node *root;
    bool broken = false;
    *found = try_file(settings, path_in(settings, package, ".jcfg"), &root, &broken)
        || try_file(settings, path_in(settings, package, ".cfg"), &root, &broken);
    return *found ? root : broken ? NULL : conf_new();
}

/* ---- all of it */

static void put_options(struct conf_node *root, const struct options *options)
{
    for (uint32_t i = 0; i < options->set_count; i++)
        conf_set_text(conf_set_group(root, options->set[i].section), options->set[i].key, options->set[i].value);
}

static void print_fatal(const struct settings *settings)
{
    for (uint32_t i = 0; i < settings_note_count(settings); i++) {
        int level;
        const char *text = settings_note_at(settings, i, &level);
        if (level <= LOG_LEVEL_ERR)
            fprintf(stderr, "%s\n", text);
    }
}

/* A daemon changes its folder before most files are opened. */
static void make_absolute(struct settings *settings, const char **path)
{
    char here[4096], whole[8192];
    if (*path == NULL || **path == '/' || realpath(".", here) == NULL)
        return;
    snprintf(whole, sizeof(whole), "%s/%s", here, *path);
    *path = settings_keep(settings, str_of(whole));
}

static void make_paths_absolute(struct settings *settings)
{
    const char **const paths[] = {&settings->configs_folder, &settings->config_file, &settings->web_folder, &settings->pid_file,
        &settings->log_to_file, &settings->cert_pem, &settings->cert_key};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
        make_absolute(settings, paths[i]);
}

/* `running`: NULL, or where the files are: a daemon has changed its folder since it was started. */
static enum settings_outcome load(struct settings *settings, const struct settings *running, int argc, char **argv)
{
    struct options options;
    init(settings);
    if (!options_parse(&options, argc, argv)) {
        fprintf(stderr, "%s: %s (see --help)\n", argv[0], options.error);
        return SETTINGS_EXIT_FAILED;
    }
    if (options.help)
        options_print_help(argv[0]);
    if (options.help || options.version)
        return SETTINGS_EXIT_DONE;
    if (options.configs_folder != NULL)
        settings->configs_folder = options.configs_folder;
    if (running != NULL) {
        settings->configs_folder = running->configs_folder;
        options.config_file = options.config_file != NULL ? running->config_file : NULL;
    }
    struct conf_node *root = read_main_file(settings, options.config_file);
    if (root != NULL) {
        settings->memory->root = root;
        put_options(root, &options);
        settings->cwd_path = options.cwd_path;
        settings->log_to_stdout_forced = options.log_stdout_forced;
        settings->web_folder = options.web_folder;
    }
    if (root == NULL || !settings_read(settings, root)) {
        print_fatal(settings);
        return SETTINGS_EXIT_FAILED;
    }
    if (settings->daemonize)
        make_paths_absolute(settings);
    settings_note_unbuilt(settings, root);
    return SETTINGS_RUN;
}

enum settings_outcome settings_load(struct settings *settings, int argc, char **argv)
{
    return load(settings, NULL, argc, argv);
}

enum settings_outcome settings_load_again(struct settings *settings, const struct settings *running, int argc, char **argv)
{
    return load(settings, running, argc, argv);
}

bool settings_is_disabled(const struct text_list *list, const char *module)
{
    char name[128];
    snprintf(name, sizeof(name), "libjanus_%s.so", module);
    for (uint32_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], name) == 0)
            return true;
    return false;
}
