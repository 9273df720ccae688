/* Text from strangers, secrets, and templates: design.md §3, §4 and §6. */
#include "unit.h"

#include "common/secret.h"
#include "common/template.h"
#include "common/text.h"

#include <string.h>

static void printable_leaves_printable_ascii(void **state)
{
    char out[64];
    char small[4];

    (void)state;
    assert_string_equal(text_printable(out, sizeof out, "a\033[31m\a\r\n%n\x7f\xe2\x80\xae\xff~ b"),
                        "a?[31m???%n?????~ b");
    assert_string_equal(text_printable(out, sizeof out, NULL), "");
    assert_string_equal(text_printable(small, sizeof small, "abcdef"), "abc");
}

static void log_values_are_one_word(void **state)
{
    char out[64];
    char small[7];

    (void)state;
    assert_string_equal(text_log_value(out, sizeof out, "a b=\"c\"\\\n\xc3"), "a\\x20b\\x3d\\x22c\\x22\\x5c\\x0a\\xc3");
    assert_string_equal(text_log_value(out, sizeof out, ""), "-");
    assert_string_equal(text_log_value(out, sizeof out, NULL), "-");
    assert_string_equal(text_log_value(small, sizeof small, "abc\n\n"), "abc");
}

static void words_have_no_blank(void **state)
{
    (void)state;
    assert_true(text_is_word("123456"));
    assert_false(text_is_word(""));
    assert_false(text_is_word("1 2"));
    assert_false(text_is_word("1\t2"));
    assert_false(text_is_word("1\x7f"));
    assert_false(text_is_word("\xc2\xa0"));
}

static void templates_expand(void **state)
{
    const struct template_values values = {.user = "ada", .host = "db1", .service = "sshd", .rhost = "192.0.2.7"};
    char out[32];

    (void)state;
    assert_true(template_expand("%u@%h %s %r %t%%", &values, out, sizeof out));
    assert_string_equal(out, "ada@db1 sshd 192.0.2.7 %");
    assert_false(template_expand("%u%u%u%u%u%u%u%u%u%u%u", &values, out, sizeof out));
    assert_false(template_is_valid("%x"));
    assert_false(template_is_valid("%"));
    assert_true(template_is_valid("100%%"));
}

static void values_cannot_leave_their_directory(void **state)
{
    static const char *const bad[] = {"../root", "a/b", ".", ".hidden", "", "/"};
    char out[64];

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        const struct template_values values = {.user = bad[i]};

        assert_false(template_expand_path("/run/tokens/%u", &values, out, sizeof out));
    }
    assert_true(template_expand_path("/run/tokens/%u", &(struct template_values){.user = "ada"}, out, sizeof out));
    assert_string_equal(out, "/run/tokens/ada");
}

static void secrets_compare_whole(void **state)
{
    struct secret secret = {NULL, 0};

    (void)state;
    assert_false(secret_equals(&secret, ""));
    assert_true(secret_set(&secret, "canary", 6));
    assert_true(secret_equals(&secret, "canary"));
    assert_false(secret_equals(&secret, "canarz"));
    assert_false(secret_equals(&secret, "canar"));
    assert_false(secret_equals(&secret, NULL));
    secret_free(&secret);
    assert_null(secret.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printable_leaves_printable_ascii),
        cmocka_unit_test(log_values_are_one_word),
        cmocka_unit_test(words_have_no_blank),
        cmocka_unit_test(templates_expand),
        cmocka_unit_test(values_cannot_leave_their_directory),
        cmocka_unit_test(secrets_compare_whole),
    };

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
