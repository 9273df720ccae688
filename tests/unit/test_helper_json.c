/* The JSON that the helper reads and writes: design.md §4 and §6, "Duplicate members". */
#include "unit.h"

#include "helper/json.h"

#include <string.h>

static struct json_object *parse(const char *text)
{
    return json_parse(text, strlen(text));
}

static void objects_are_read(void **state)
{
    static const char *const texts[] = {
        "{}",
        " {\"a\" : 1}\n",
        "{\"a\":{\"a\":{\"a\":[{\"a\":1},{\"a\":2}]}}}",
        "{\"a\":\"b:c\",\"d\":\"\\\":\\\\\"}",
        "{\"a\":\"{\\\"a\\\":1}\"}",
        "{\"NI\":null,\"t\":true,\"f\":false,\"n\":-1.5e3}",
        "{\"\xc3\xa9\":\"\xe2\x82\xac\",\"\\u00e8\":\"\"}",
        "{\"a\":\"\\\\u0000\"}",
        "{\"a\":\"\\u0000\"}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct json_object *object = parse(texts[i]);

        if (object == NULL)
            fail_msg("refused: %s", texts[i]);
        json_object_put(object);
    }
}

static void everything_else_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "null",
        "1",
        "\"a\"",
        "[]",
        "[{\"a\":1}]",
        "{",
        "{\"a\":1",
        "{\"a\":1}}",
        "{}{}",
        "{} x",
        "{}\x01",
        /* no JSON, though json-c can be talked into it */
        "{'a':1}",
        "{a:1}",
        "{\"a\":1,}",
        "{\"a\":[1,]}",
        "{/**/}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":-Infinity}",
        "{\"a\":TRUE}",
        "{\"a\":\"x\ty\"}",
        "{\"a\nb\":1}",
        /* not UTF-8 */
        "{\"a\":\"\xff\"}",
        "{\"\xc3\":1}",
        "{\"a\":\"\xe2\x82\"}",
        "\xef\xbb\xbf{}",
        /* a name twice */
        "{\"a\":1,\"a\":1}",
        "{\"a\":1,\"b\":2,\"a\":3}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"\\u0061\":1,\"\\u0061\":2}",
        "{\"a/b\":1,\"a\\/b\":2}",
        "{\"x\":{\"a\":1,\"a\":2}}",
        "{\"x\":[[{\"a\":1,\"a\":2}]]}",
        "{\"a\":{\"b\":1},\"a\":{\"c\":1}}",
        "{\"\":1,\"\":2}",
        /* a NUL in a name: what stands before it would pass for the name */
        "{\"a\\u0000b\":1}",
        "{\"\\u0000\":1}",
        "{\"x\":[{\"a\\u0000\":1}]}",
        /* deeper than anything Cognito says */
        "{\"a\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        if (parse(texts[i]) != NULL)
            fail_msg("taken: %s", texts[i]);
}

static void the_length_counts(void **state)
{
    (void)state;
    assert_null(json_parse("{}\0", 3));
    assert_null(json_parse("{\"a\":\"b\0c\"}", 11));
    assert_null(json_parse("{}x", 2));
}

static void getters_want_the_type(void **state)
{
    struct json_object *object = parse("{\"s\":\"text\",\"e\":\"\",\"z\":\"a\\u0000b\",\"i\":-5,\"d\":1.0,\"x\":1e3,"
                                       "\"q\":\"5\",\"n\":null,\"o\":{},\"a\":[]}");
    struct json_object *member;
    const char *text;
    int64_t number = 7;

    (void)state;
    assert_non_null(object);
    assert_string_equal(json_string(object, "s"), "text");
    assert_string_equal(json_string(object, "e"), "");
    assert_null(json_string(object, "z"));
    assert_null(json_string(object, "i"));
    assert_null(json_string(object, "n"));
    assert_null(json_string(object, "absent"));
    assert_true(json_integer(object, "i", &number));
    assert_int_equal(number, -5);
    assert_false(json_integer(object, "d", &number));
    assert_false(json_integer(object, "x", &number));
    assert_false(json_integer(object, "q", &number));
    assert_false(json_integer(object, "absent", &number));
    assert_true(json_has(object, "n"));
    assert_false(json_has(object, "absent"));
    assert_true(json_optional_string(object, "s", &text) && strcmp(text, "text") == 0);
    assert_true(json_optional_string(object, "n", &text) && text == NULL);
    assert_true(json_optional_string(object, "absent", &text) && text == NULL);
    assert_false(json_optional_string(object, "z", &text));
    assert_false(json_optional_string(object, "i", &text));
    assert_true(json_optional_object(object, "o", &member) && member != NULL);
    assert_true(json_optional_object(object, "n", &member) && member == NULL);
    assert_true(json_optional_object(object, "absent", &member) && member == NULL);
    assert_false(json_optional_object(object, "a", &member));
    assert_null(member);
    json_object_put(object);
}

static void getters_take_no_object(void **state)
{
    struct json_object *member;
    const char *text;
    int64_t number;

    (void)state;
    assert_null(json_string(NULL, "a"));
    assert_false(json_has(NULL, "a"));
    assert_false(json_integer(NULL, "a", &number));
    assert_true(json_optional_string(NULL, "a", &text) && text == NULL);
    assert_true(json_optional_object(NULL, "a", &member) && member == NULL);
}

static void requests_are_written(void **state)
{
    struct json_object *object = json_object_new_object(), *inner = json_object_new_object();
    struct secret text = {NULL, 0};

    (void)state;
    assert_true(json_put_string(inner, "PASSWORD", "a\"\\/\n\x7f\xc3\xa9"));
    assert_true(json_put_object(object, "AuthParameters", inner));
    assert_true(json_put_string(object, "ClientId", ""));
    assert_true(json_text(object, &text));
    assert_string_equal(text.bytes,
                        "{\"AuthParameters\":{\"PASSWORD\":\"a\\\"\\\\/\\n\x7f\xc3\xa9\"},\"ClientId\":\"\"}");
    assert_int_equal(text.length, strlen(text.bytes));
    secret_free(&text);
    json_object_put(object);
}

static void what_is_not_utf_8_is_not_sent(void **state)
{
    struct json_object *object = json_object_new_object();
    struct secret text = {NULL, 0};

    (void)state;
    assert_true(json_put_string(object, "Code", "caf\xe9"));
    assert_false(json_text(object, &text));
    assert_null(text.bytes);
    json_object_put(object);
}

static void nothing_is_put_into_nothing(void **state)
{
    struct json_object *object = json_object_new_object();

    (void)state;
    assert_false(json_put_string(NULL, "a", "b"));
    assert_false(json_put_object(object, "a", NULL));
    assert_false(json_has(object, "a"));
    json_object_put(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_read),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(the_length_counts),
        cmocka_unit_test(getters_want_the_type),
        cmocka_unit_test(getters_take_no_object),
        cmocka_unit_test(requests_are_written),
        cmocka_unit_test(what_is_not_utf_8_is_not_sent),
        cmocka_unit_test(nothing_is_put_into_nothing),
    };

    return cmocka_run_group_tests_name("helper_json", tests, NULL, NULL);
}
