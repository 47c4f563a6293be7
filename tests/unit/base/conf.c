/* base/conf: every feature of config-core.md 2, what breaks a file, and that what we write can be read again. */
#include "support/seams.h"

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/str.h"

static struct conf_node *parse(const char *text)
{
    struct conf_error error;
    struct conf_node *root = conf_parse(str_of(text), CONF_JCFG, NULL, &error);
    if (root == NULL)
        fail_msg("line %u: %s", error.line, error.text);
    return root;
}

static void assert_value(const char *text, const char *expected)
{
    struct conf_node *root = parse(text);
    const char *value = conf_text(root, "a", NULL);
    assert_non_null(value);
    assert_string_equal(value, expected);
    conf_free(root);
}

static void assert_error_as(enum conf_format format, struct view text, uint32_t line)
{
    struct conf_error error;
    struct conf_node *root = conf_parse(text, format, NULL, &error);
    if (root != NULL)
        fail_msg("accepted: %.*s", (int)text.size, (const char *)text.data);
    assert_int_equal(error.line, line);
    assert_true(error.text[0] != '\0');
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void assert_error(const char *text, uint32_t line)
{
    assert_error_as(CONF_JCFG, str_of(text), line);
}

static void test_scalars_become_text(void **state)
{
    (void)state;
    assert_value("a = 41", "41");
    assert_value("a = -7;", "-7");
    assert_value("a : +7,", "7");
    assert_value("a = 0x1F", "31");
    assert_value("a = 0XFFFFFFFFFFFFFFFF", "18446744073709551615");
    assert_value("a = 0b101", "5");
    assert_value("a = 0o17", "15");
    assert_value("a = 5000000000", "5000000000");
    assert_value("a = 9007199254740991L", "9007199254740991");
    assert_value("a = 12LL", "12");
    assert_value("a = -9223372036854775808", "-9223372036854775808");
    assert_value("a = 18446744073709551615", "18446744073709551615");
    assert_value("a = 1.5", "1.500000");
    assert_value("a = -.25", "-0.250000");
    assert_value("a = 1e3", "1000.000000");
    assert_value("a = TRUE", "true");
    assert_value("a = false", "false");
    assert_value("a = \"\"", "");
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_strings_escape_and_join(void **state)
{
    (void)state;
    assert_value("a = \"x\\\\y\\\"z\"", "x\\y\"z");
    assert_value("a = \"\\n\\r\\t\\f\\a\\b\\v\"", "\n\r\t\f\a\b\v");
    assert_value("a = \"\\x41\\xc3\\xA9\"", "A\xC3\xA9");
    assert_value("a = \"C:\\path\\d+\"", "C:\\path\\d+");        /* no escape: kept as it stands */
    assert_value("a = \"one \" \"two \"\n  /* between */ \"three\"", "one two three");
    assert_value("a = \"two\nlines\"", "two\nlines");
    assert_value("a = \"# // /* no comment */ ; , }\"", "# // /* no comment */ ; , }");
}

static void test_comments_and_terminators(void **state)
{
    (void)state;
    struct conf_node *root = parse("\xEF\xBB\xBF# one\n// two\n/* three\n * four */ a = 1; b = 2, c = 3\nd = 4 e = 5 // end");
    assert_int_equal(conf_count(root), 5);
    assert_int_equal(conf_int(root, "e", 0), 5);
    assert_int_equal(conf_line(conf_get(root, "a")), 4);
    assert_int_equal(conf_line(conf_get(root, "d")), 5);
    conf_free(root);
}

static void test_groups_lists_and_arrays_nest(void **state)
{
    (void)state;
    struct conf_node *root = parse(
        "room-1234: {\n  description = \"Demo\"\n  sub = { deep: { x = 1 } }\n}\n"
        "media = ( { type = \"audio\", pt = 111 }, { type = \"video\" }, \"word\", ( 1, 2 ) )\n"
        "folders = [ \"/bin\", \"/boot\", ]\nempty = ( )\nnone = {}\n");
    assert_string_equal(conf_text(conf_get(root, "room-1234"), "description", ""), "Demo");
    assert_string_equal(conf_value(conf_path(root, "room-1234", "sub", "deep", "x", NULL)), "1");
    const struct conf_node *media = conf_get(root, "media");
    assert_int_equal(conf_kind(media), CONF_LIST);
    assert_int_equal(conf_count(media), 4);
    assert_int_equal(conf_int(conf_at(media, 0), "pt", 0), 111);
    assert_string_equal(conf_value(conf_at(media, 2)), "word");
    assert_int_equal(conf_count(conf_at(media, 3)), 2);
    assert_null(conf_at(media, 4));
    const struct conf_node *folders = conf_get(root, "folders");
    assert_int_equal(conf_count(folders), 2);
    assert_string_equal(conf_value(conf_at(folders, 1)), "/boot");
    assert_int_equal(conf_count(conf_get(root, "empty")), 0);
    assert_int_equal(conf_count(conf_get(root, "none")), 0);
    conf_free(root);
}

static void test_lookup_ignores_case_and_the_last_wins(void **state)
{
    (void)state;
    struct conf_node *root = parse("General: { Debug_Level = 3\n b = 1\n debug_level = 7 }\nGENERAL2 = 1");
    const struct conf_node *general = conf_get(root, "gEnErAl");
    assert_int_equal(conf_count(general), 2);
    assert_int_equal(conf_int(general, "DEBUG_LEVEL", 0), 7);
    assert_string_equal(conf_name(conf_at(general, 0)), "debug_level");
    conf_free(root);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_getters_read_as_the_reference_does(void **state)
{
    (void)state;
    struct conf_node *root = parse("yes = \"YES\"\nt = true\none = 1\nno = \"on\"\nn = \" 12abc\"\nbad = \"x\"\nneg = \"-5\"\n"
        "big = \"99999999999999999999\"\nport = \"8188\"\nhigh = 65536\ngroup: {}\n");
    assert_true(conf_bool(root, "yes", false) && conf_bool(root, "t", false) && conf_bool(root, "one", false));
    assert_false(conf_bool(root, "no", true));
    assert_true(conf_bool(root, "absent", true));
    assert_true(conf_bool(root, "group", true));
    assert_int_equal(conf_int(root, "n", 9), 12);
    assert_int_equal(conf_int(root, "bad", 9), 0);
    assert_int_equal(conf_int(root, "neg", 9), -5);
    assert_int_equal(conf_int(root, "big", 9), INT32_MAX);
    assert_int_equal(conf_i64(root, "big", 9), INT64_MAX);
    assert_int_equal(conf_int(root, "absent", 9), 9);
    uint16_t port;
    assert_true(conf_port(root, "port", 1, &port));
    assert_int_equal(port, 8188);
    assert_true(conf_port(root, "absent", 42, &port));
    assert_int_equal(port, 42);
    assert_false(conf_port(root, "high", 42, &port));
    assert_false(conf_port(root, "bad", 42, &port));
    assert_null(conf_get(NULL, "a"));
    assert_null(conf_get(conf_get(root, "port"), "a"));
    assert_null(conf_path(root, "absent", "deeper", NULL));
    conf_free(root);
}

static void test_an_error_names_its_line(void **state)
{
    (void)state;
    assert_error("a = 1\nb = \n", 3);
    assert_error("a = 1\nb 2", 2);
    assert_error("a = 1\nb = word\n", 2);
    assert_error("a = 1\n\nb = \"open", 3);
    assert_error("a = 1\nb = { c = 1\n", 3);
    assert_error("/* open\n\n", 1);
    assert_error("a = ( 1 2 )", 1);
    assert_error("a = [ { } ]", 1);
    assert_error("a = ( 1, 2", 1);
    assert_error("}", 1);
    assert_error("1a = 2", 1);
    assert_error("a.b = 2", 1);
    assert_error("\"\" = 2", 1);
    assert_error("a = 18446744073709551616", 1);
    assert_error("a = -9223372036854775809", 1);
    assert_error("a = 0x", 1);
    assert_error("a = 1e999", 1);
    assert_error("a = nan", 1);
    assert_error("a = \"\\xZZ\"", 1);
    assert_error("a = \"\\x00\"", 1);
    assert_error("a = \"\\", 1);
    assert_error("@include \"x\"", 1);
    assert_error("@incl", 1);
    assert_error_as(CONF_JCFG, VIEW("a = \"b\0c\"", 9), 1);
    assert_error_as(CONF_JCFG, VIEW("\0", 1), 1);
    assert_error_as(CONF_JCFG, VIEW("\x7F" "ELF\x02\x01", 6), 1);
}

static void test_depth_and_length_are_bounded(void **state)
{
    (void)state;
    char text[4 * 40 + 1];
    for (int i = 0; i < 40; i++)
        memcpy(text + 4 * i, "a={ ", 5);
    assert_error(text, 1);
    for (int i = 0; i < 40; i++)
        memcpy(text + 4 * i, i == 0 ? "a=((" : "((((", 5);
    assert_error(text, 1);
    struct buf long_name;
    buf_init(&long_name, 4096);
    for (uint32_t i = 0; i < CONF_NAME_MAX + 1; i++)
        buf_add_char(&long_name, 'n');
    buf_add_text(&long_name, " = 1");
    assert_null(conf_parse(buf_view(&long_name), CONF_JCFG, NULL, &(struct conf_error){0}));
    assert_null(conf_parse(buf_view(&long_name), CONF_INI, NULL, &(struct conf_error){0}));
    buf_fini(&long_name);
}

struct file {
    const char *path;
    const char *text;
};

static bool read_included(void *owner, const char *path, struct buf *out)
{
    for (const struct file *file = owner; file->path != NULL; file++)
        if (strcmp(file->path, path) == 0) {
            buf_add_text(out, file->text);
            return true;
        }
    return false;
}

static void test_included_settings_land_where_the_include_stands(void **state)
{
    (void)state;
    struct file files[] = {{"inner.jcfg", "b = 2\nc = { d = 3 }"}, {"broken", "\n\nx ="}, {"loop", "@include \"loop\""}, {NULL, NULL}};
    struct conf_includes includes = {read_included, files};
    struct conf_error error;
    struct conf_node *root = conf_parse(STR("g: { a = 1\n@include \"inner.jcfg\"\n e = 4 }"), CONF_JCFG, &includes, &error);
    assert_non_null(root);
    assert_int_equal(conf_count(conf_get(root, "g")), 4);
    assert_string_equal(conf_value(conf_path(root, "g", "c", "d", NULL)), "3");
    conf_free(root);
    assert_null(conf_parse(STR("@include \"broken\""), CONF_JCFG, &includes, &error));
    assert_string_equal(error.file, "broken");
    assert_int_equal(error.line, 3);
    assert_null(conf_parse(STR("@include \"absent\""), CONF_JCFG, &includes, &error));
    assert_string_equal(error.file, "");
    assert_null(conf_parse(STR("@include \"loop\""), CONF_JCFG, &includes, &error));
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_ini_files(void **state)
{
    (void)state;
    struct conf_error error;
    struct conf_node *root = conf_parse(STR("; a comment\n[general]\njson = indented ; why\nsecret=a\\;b\nname => value = x\n\n"
        "[ Room-1 ]\r\ndescription = Two words  \r\nempty =\r\n[GENERAL]\njson = plain"), CONF_INI, NULL, &error);
    assert_non_null(root);
    assert_int_equal(conf_count(root), 2);
    const struct conf_node *general = conf_get(root, "general");
    assert_string_equal(conf_text(general, "json", ""), "plain");
    assert_string_equal(conf_text(general, "secret", ""), "a;b");
    assert_string_equal(conf_text(general, "name", ""), "value = x");
    assert_string_equal(conf_text(conf_get(root, "room-1"), "description", ""), "Two words");
    assert_string_equal(conf_text(conf_get(root, "room-1"), "empty", NULL), "");
    conf_free(root);
    assert_error_as(CONF_INI, STR("[general]\nno equal sign\n"), 2);
    assert_error_as(CONF_INI, STR("a = 1\n["), 2);
    assert_error_as(CONF_INI, STR("[]"), 1);
    assert_error_as(CONF_INI, STR("[open\n"), 1);
    assert_error_as(CONF_INI, STR(" = 1"), 1);
    assert_error_as(CONF_INI, VIEW("a = \0", 5), 1);
}

static void assert_written_is_read_back(const struct conf_node *root)
{
    struct buf first, second;
    struct conf_error error;
    buf_init(&first, CONF_TEXT_MAX);
    buf_init(&second, CONF_TEXT_MAX);
    conf_write(root, &first);
    struct conf_node *again = conf_parse(buf_view(&first), CONF_JCFG, NULL, &error);
    if (again == NULL)
        fail_msg("line %u: %s\n%s", error.line, error.text, buf_text(&first));
    conf_write(again, &second);
    assert_string_equal(buf_text(&first), buf_text(&second));
    conf_free(again);
    buf_fini(&first);
    buf_fini(&second);
}

static void test_room_names_of_any_kind_survive_writing(void **state)
{
    (void)state;
    static const char *const names[] = {"room-1234", "room-a.b c", "room-\xC3\xA9\xE2\x82\xAC", "room-\"q\"\\", "room-\n\t\x01", "7", "=", "@include", "#"};
    struct conf_node *root = conf_new();
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct conf_node *room = conf_set_group(root, names[i]);
        conf_set_text(room, "description", names[i]);
        conf_set_u64(room, "bitrate", UINT64_MAX - i);
        conf_set_i64(room, "offset", INT64_MIN);
        conf_set_bool(room, "record", i % 2 == 0);
        struct conf_node *list = conf_set_list(room, "list");
        conf_add_text(list, "a, b");
        conf_set_text(conf_add_group(list), "mid", "0");
    }
    assert_written_is_read_back(root);
    struct buf text;
    struct conf_error error;
    buf_init(&text, CONF_TEXT_MAX);
    conf_write(root, &text);
    conf_free(root);
    root = conf_parse(buf_view(&text), CONF_JCFG, NULL, &error);
    buf_fini(&text);
    assert_int_equal(conf_count(root), ARRAY_COUNT(names));
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        const struct conf_node *room = conf_get(root, names[i]);
        assert_ptr_equal(room, conf_at(root, (uint32_t)i));
        assert_string_equal(conf_text(room, "description", ""), names[i]);
        assert_string_equal(conf_value(conf_at(conf_get(room, "list"), 0)), "a, b");
    }
    conf_free(root);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_a_quoted_name_after_a_text_is_no_part_of_it(void **state)
{
    (void)state;
    struct conf_node *root = parse("a = \"x\"; \"b c\" = \"y\"");
    assert_string_equal(conf_text(root, "b c", ""), "y");
    assert_written_is_read_back(root);
    conf_free(root);
}

static void test_written_text_has_the_form_that_libconfig_reads(void **state)
{
    (void)state;
    struct conf_node *root = parse("b = 5000000000 g: { x = true, y = ( 1, \"two\" ) } r = 1.5");
    struct buf out;
    buf_init(&out, 4096);
    conf_write(root, &out);
    assert_string_equal(buf_text(&out), "b = 5000000000L\ng: {\n\tx = true\n\ty = (\n\t\t1,\n\t\t\"two\"\n\t)\n}\nr = 1.500000\n");
    buf_fini(&out);
    buf_init(&out, 10);
    conf_write(root, &out);
    assert_true(out.failed);
    buf_fini(&out);
    conf_free(root);
}

static void test_changing_keeps_places(void **state)
{
    (void)state;
    struct conf_node *root = parse("a = 1 b = 2 c = 3 g: { x = 1 }");
    conf_set_text(root, "B", "new");
    assert_string_equal(conf_value(conf_at(root, 1)), "new");
    assert_ptr_equal(conf_set_group(root, "G"), conf_at(root, 3));
    conf_del(root, "a");
    conf_del(root, "absent");
    assert_int_equal(conf_count(root), 3);
    assert_string_equal(conf_name(conf_at(root, 0)), "B");
    conf_set_text(root, "g", "no group any more");
    assert_string_equal(conf_text(root, "g", ""), "no group any more");
    conf_set_text(root, "d", "last");
    assert_string_equal(conf_name(conf_at(root, 3)), "d");
    conf_free(root);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_ten_thousand_rooms_take_no_time(void **state)
{
    (void)state;
    struct conf_node *root = conf_new();
    for (int i = 0; i < 10000; i++) {
        char name[32];
        snprintf(name, sizeof(name), "room-%d", i);
        conf_set_text(conf_set_group(root, name), "description", "x");
    }
    assert_written_is_read_back(root);
    assert_non_null(conf_get(root, "ROOM-9999"));
    conf_free(root);
}

static void test_every_cut_of_a_file_is_read_or_refused(void **state)
{
    (void)state;
    static const char text[] = "# c\ng: { a = \"x\\x41\" \"y\"; b = [1, 2L]; /* c */ c = ({ d = 1.5 }, true) }\n\"q n\" = 0x1F // e";
    for (size_t cut = 0; cut < sizeof(text); cut++) {
        struct conf_error error;
        conf_free(conf_parse(VIEW(text, cut), CONF_JCFG, NULL, &error));
        conf_free(conf_parse(VIEW(text, cut), CONF_INI, NULL, &error));
        assert_int_equal(seam_mem_outstanding(), 0);
    }
}

static void test_format_is_chosen_by_the_base_name(void **state)
{
    (void)state;
    assert_int_equal(conf_format_of("/etc/janus/janus.jcfg"), CONF_JCFG);
    assert_int_equal(conf_format_of("janus.jcfg.new"), CONF_JCFG);
    assert_int_equal(conf_format_of("/etc/x.jcfg/janus.cfg"), CONF_INI);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars_become_text),
        cmocka_unit_test(test_strings_escape_and_join),
        cmocka_unit_test(test_comments_and_terminators),
        cmocka_unit_test(test_groups_lists_and_arrays_nest),
        cmocka_unit_test(test_lookup_ignores_case_and_the_last_wins),
        cmocka_unit_test(test_getters_read_as_the_reference_does),
        cmocka_unit_test(test_an_error_names_its_line),
        cmocka_unit_test(test_depth_and_length_are_bounded),
        cmocka_unit_test(test_included_settings_land_where_the_include_stands),
        cmocka_unit_test(test_ini_files),
        cmocka_unit_test(test_room_names_of_any_kind_survive_writing),
        cmocka_unit_test(test_a_quoted_name_after_a_text_is_no_part_of_it),
        cmocka_unit_test(test_written_text_has_the_form_that_libconfig_reads),
        cmocka_unit_test(test_changing_keeps_places),
        cmocka_unit_test(test_ten_thousand_rooms_take_no_time),
        cmocka_unit_test(test_every_cut_of_a_file_is_read_or_refused),
        cmocka_unit_test(test_format_is_chosen_by_the_base_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
