/* Both formats; what was read is written, and what was written must be read and written alike. */
#include "base/check.h"
#include "base/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool no_files(void *owner, const char *path, struct buf *out)
{
    (void)owner;
    buf_add_text(out, path);        /* the path is the text: includes inside includes come for free */
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf_error error;
    struct conf_includes includes = {no_files, NULL};
    enum conf_format format = size > 0 && data[0] == '[' ? CONF_INI : CONF_JCFG;
    struct conf_node *first = conf_parse(VIEW(data, size), format, &includes, &error);
    if (first == NULL) {
        CHECK(error.line > 0);
        return 0;
    }
    struct buf once, twice;
    buf_init(&once, CONF_TEXT_MAX);
    buf_init(&twice, CONF_TEXT_MAX);
    conf_write(first, &once);
    struct conf_node *second = once.failed ? NULL : conf_parse(buf_view(&once), CONF_JCFG, NULL, &error);
    if (!once.failed) {
        CHECK(second != NULL);
        conf_write(second, &twice);
        CHECK(twice.size == once.size);
    }
    conf_free(first);
    conf_free(second);
    buf_fini(&once);
    buf_fini(&twice);
    return 0;
}
