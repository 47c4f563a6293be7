/* Values of requests as plugins read them, and lists of tokens. */
#include "support/seams.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/acl.h"
#include "plugins/fields.h"

static void test_values_or_their_fallback(void **state)
{
    (void)state;
    json_t *o = json_loads("{\"yes\":true,\"no\":false,\"n\":-7,\"text\":\"x\",\"null\":null,\"real\":1.5}", 0, NULL);
    assert_true(field_bool(o, "yes", false));
    assert_false(field_bool(o, "no", true));
    assert_true(field_bool(o, "n", true));
    assert_true(field_bool(o, "absent", true));
    assert_int_equal(field_int(o, "n", 3), -7);
    assert_int_equal(field_int(o, "real", 3), 3);
    assert_int_equal(field_int(o, "text", 3), 3);
    assert_string_equal(field_text(o, "text"), "x");
    assert_null(field_text(o, "null"));
    assert_null(field_text(o, "absent"));
    assert_null(field_text(NULL, "text"));
    json_decref(o);
}

static void test_arrays_of_strings(void **state)
{
    (void)state;
    static const struct { const char *json; bool fine; } cases[] = {
        {"[]", true}, {"[\"a\",\"\"]", true}, {"[\"a\",1]", false}, {"[null]", false}, {"[[\"a\"]]", false},
    };
    assert_true(field_all_strings(NULL));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *array = json_loads(cases[i].json, 0, NULL);
        assert_int_equal(field_all_strings(array), cases[i].fine);
        json_decref(array);
    }
}

static void test_secrets_that_everybody_knows(void **state)
{
    (void)state;
    assert_true(secret_is_sample("adminpwd"));
    assert_true(secret_is_sample("supersecret"));
    assert_true(secret_is_sample("janusoverlord"));
    assert_false(secret_is_sample("Adminpwd"));
    assert_false(secret_is_sample(""));
    assert_false(secret_is_sample(NULL));
    assert_null(text_copy(NULL));
    char *copy = text_copy("abc");
    assert_string_equal(copy, "abc");
    mem_put(copy);
}

static const struct hash_key key = {1, 2};

static void test_a_list_of_tokens(void **state)
{
    (void)state;
    struct acl acl;
    struct buf text;
    struct json_out j;
    acl_init(&acl);
    assert_true(acl_allows(&acl, &key, NULL));          /* off: nobody is asked */
    acl.on = true;
    assert_false(acl_allows(&acl, &key, NULL));
    assert_false(acl_allows(&acl, &key, "a"));
    assert_true(acl_add(&acl, &key, "b"));
    assert_true(acl_add(&acl, &key, "a"));
    assert_true(acl_add(&acl, &key, "a"));              /* twice is once */
    assert_true(acl_allows(&acl, &key, "a"));
    assert_false(acl_allows(&acl, &key, "A"));
    buf_init(&text, 100);
    jout_begin(&j, &text, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    acl_write(&acl, &j, "allowed");
    jout_end(&j);
    assert_string_equal(buf_text(&text), "{\"allowed\":[\"b\",\"a\"]}");
    buf_fini(&text);
    acl_del(&acl, &key, "a");
    acl_del(&acl, &key, "never there");
    assert_false(acl_allows(&acl, &key, "a"));
    assert_true(acl_allows(&acl, &key, "b"));
    acl_fini(&acl);
}

static void test_a_list_of_tokens_is_bounded(void **state)
{
    (void)state;
    struct acl acl;
    char name[16];
    acl_init(&acl);
    for (unsigned i = 0; i < ACL_TOKENS_MAX; i++) {
        snprintf(name, sizeof(name), "t%u", i);
        assert_true(acl_add(&acl, &key, name));
    }
    assert_false(acl_add(&acl, &key, "one more"));
    assert_true(acl_add(&acl, &key, "t0"));
    acl_fini(&acl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_or_their_fallback), cmocka_unit_test(test_arrays_of_strings),
        cmocka_unit_test(test_secrets_that_everybody_knows), cmocka_unit_test(test_a_list_of_tokens),
        cmocka_unit_test(test_a_list_of_tokens_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
