/* User texts: which translations are shown, whatever gettext finds. */
#include "unit.h"

#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifdef ENABLE_NLS

#include <libintl.h>

/* What gettext is asked for, and what it answers. */
static const char *bound_domain, *bound_folder, *asked_domain, *asked_text, *answer;
static bool binding_fails;
static int lookups;

static char *bind(const char *domain, const char *folder)
{
    bound_domain = domain;
    bound_folder = folder;
    return binding_fails ? NULL : (char *)folder;
}

static char *look_up(const char *domain, const char *text)
{
    lookups++;
    asked_domain = domain;
    asked_text = text;
    return (char *)(answer == NULL ? text : answer);
}

#undef bindtextdomain
#undef dgettext
#define bindtextdomain bind
#define dgettext       look_up
#define LOCALEDIR      "/the/folder"
#include "module/say.c"

static int fresh(void **state)
{
    (void)state;
    bound_domain = bound_folder = asked_domain = asked_text = answer = NULL;
    binding_fails = false;
    lookups = 0;
    unsetenv("LANGUAGE");
    return setlocale(LC_CTYPE, "C.UTF-8") == NULL && setlocale(LC_CTYPE, "en_US.UTF-8") == NULL ? -1 : 0;
}

static const char *with(const char *translation, const char *text)
{
    answer = translation;
    return say(text);
}

static void shows_the_translation(void **state)
{
    (void)state;
    assert_string_equal(with("Das ist\nübersetzt.", "This is."), "Das ist\nübersetzt.");
    assert_string_equal(bound_domain, "pam-cognito");
    assert_string_equal(bound_folder, "/the/folder");
    assert_string_equal(asked_domain, "pam-cognito");
    assert_string_equal(asked_text, "This is.");
}

static void shows_the_text_where_there_is_none(void **state)
{
    static const char text[] = "This is.";

    (void)state;
    assert_ptr_equal(with(NULL, text), text);
    assert_ptr_equal(with("", text), text);
    binding_fails = true;
    assert_ptr_equal(with("Das ist.", text), text);
}

static void nothing_is_not_translated(void **state)
{
    (void)state;
    assert_null(with("Project-Id-Version: x", NULL));
    assert_string_equal(with("Project-Id-Version: x", ""), "");
    assert_int_equal(lookups, 0);
}

static void control_characters_are_not_shown(void **state)
{
    static const char *const bad[] = {"\033[2J",    "a\r",  "a\a",   "\t",          "\x7f",
                                      "\xc2\x9b[J", "\xff", "a\xc3", "\xed\xa0\x80"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_string_equal(with(bad[i], "This is."), "This is.");
}

static void places_agree(void **state)
{
    (void)state;
    assert_string_equal(with("An %s.", "To %s."), "An %s.");
    assert_string_equal(with("An.", "To %s."), "To %s.");
    assert_string_equal(with("An %s%s.", "To %s."), "To %s.");
    assert_string_equal(with("An %s.", "To."), "To.");
    assert_string_equal(with("An %%n%d.", "To."), "An %%n%d.");
}

static void what_the_charset_lacks_is_not_shown(void **state)
{
    (void)state;
    assert_string_equal(with("??? %s ????", "To %s."), "To %s.");
    assert_string_equal(with("Wohin?", "Where to?"), "Wohin?");
    assert_string_equal(with("Wohin.", "Where to?"), "Wohin.");
}

static void the_environment_names_no_path(void **state)
{
    (void)state;
    setenv("LANGUAGE", "../../tmp", 1);
    assert_string_equal(with("Das ist.", "This is."), "This is.");
    setenv("LANGUAGE", "fr:/tmp/de", 1);
    assert_string_equal(with("Das ist.", "This is."), "This is.");
    assert_int_equal(lookups, 0);
    setenv("LANGUAGE", "fr:de", 1);
    assert_string_equal(with("Das ist.", "This is."), "Das ist.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(shows_the_translation, fresh),
        cmocka_unit_test_setup(shows_the_text_where_there_is_none, fresh),
        cmocka_unit_test_setup(nothing_is_not_translated, fresh),
        cmocka_unit_test_setup(control_characters_are_not_shown, fresh),
        cmocka_unit_test_setup(places_agree, fresh),
        cmocka_unit_test_setup(what_the_charset_lacks_is_not_shown, fresh),
        cmocka_unit_test_setup(the_environment_names_no_path, fresh),
    };

    return cmocka_run_group_tests_name("say", tests, NULL, NULL);
}

#else

#include "module/say.c"

static void says_what_is_written(void **state)
{
    static const char text[] = "This is %s.";

    (void)state;
    assert_ptr_equal(say(text), text);
    assert_null(say(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_what_is_written)};

    return cmocka_run_group_tests_name("say", tests, NULL, NULL);
}

#endif
