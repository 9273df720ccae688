/* Options: design.md §3 and §6, "Config". */
#include "unit.h"

#include "common/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MINIMAL "region = eu-west-1\nuser_pool_id = eu-west-1_Ab12\nclient_id = client\n"

static char file[] = "/tmp/test_options.XXXXXX";
static char why[OPTIONS_WHY];

static int make_file(void **state)
{
    int fd = mkstemp(file);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(file);
}

static void write_file(const char *text)
{
    FILE *out = fopen(file, "w");

    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, strlen(text), out), strlen(text));
    assert_int_equal(fclose(out), 0);
}

/* Loads MINIMAL and `text` as the file, and the arguments up to NULL. */
static bool load(struct options *options, const char *text, const char *const arguments[])
{
    char whole[4096];
    int count = 0;

    snprintf(whole, sizeof whole, MINIMAL "%s", text);
    write_file(whole);
    while (arguments != NULL && arguments[count] != NULL)
        count++;
    *why = '\0';
    return options_load(options, file, count, arguments, why, sizeof why);
}

static void defaults_are_the_documented_ones(void **state)
{
    struct options options;

    (void)state;
    assert_true(load(&options, "", NULL));
    assert_string_equal(options.endpoint, "https://cognito-idp.eu-west-1.amazonaws.com");
    assert_string_equal(options.issuer, "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12");
    assert_string_equal(options.jwks_url,
                        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12/.well-known/jwks.json");
    assert_null(options.client_secret_file);
    assert_null(options.ca_path);
    assert_null(options.ca_file);
    assert_null(options.proxy);
    assert_int_equal(options.connect_timeout, 5);
    assert_int_equal(options.request_timeout, 10);
    assert_string_equal(options.username, "%u");
    assert_string_equal(options.match, "username");
    assert_int_equal(options.token.count, 1);
    assert_string_equal(options.token.items[0], "signin");
    assert_null(options.token_command_user);
    assert_int_equal(options.signin_flow, SIGNIN_SRP);
    assert_false(options.use_first_pass);
    assert_false(options.try_first_pass);
    assert_int_equal(options.attribute.count, 1);
    assert_string_equal(options.attribute.items[0], "email");
    assert_int_equal(options.when, WHEN_ALWAYS);
    assert_int_equal(options.remember, 0);
    assert_int_equal(options.exempt_group.count, 0);
    assert_int_equal(options.client_metadata.count, 0);
    assert_int_equal(options.max_tries, 3);
    assert_int_equal(options.max_sends, 3);
    assert_int_equal(options.resend_delay, 30);
    assert_int_equal(options.send_limit, 5);
    assert_int_equal(options.code_timeout, 300);
    assert_true(options.echo);
    assert_false(options.debug);
    assert_false(options.require);
    options_free(&options);
}

static void endpoints_follow_the_partition(void **state)
{
    static const char *const cases[][2] = {
        {"region=cn-north-1", "https://cognito-idp.cn-north-1.amazonaws.com.cn"},
        {"region=us-gov-west-1", "https://cognito-idp.us-gov-west-1.amazonaws.com"},
        {"region=eusc-de-east-1", "https://cognito-idp.eusc-de-east-1.amazonaws.eu"},
        {"endpoint=https://vpce.example:8443/", "https://vpce.example:8443"},
        {"endpoint=https://[::1]:65535/path", "https://[::1]:65535/path"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *arguments[] = {cases[i][0], NULL};
        struct options options;

        assert_true(load(&options, "", arguments));
        assert_string_equal(options.endpoint, cases[i][1]);
        options_free(&options);
    }
}

static void keys_have_the_issuers_path_on_the_endpoints_host(void **state)
{
    const char *arguments[] = {"endpoint=https://127.0.0.1:9/", "issuer=http://localhost:1/pool_x", NULL};
    struct options options;

    (void)state;
    assert_true(load(&options, "", arguments));
    assert_string_equal(options.jwks_url, "https://127.0.0.1:9/pool_x/.well-known/jwks.json");
    options_free(&options);
}

static void arguments_override_the_file(void **state)
{
    const char *arguments[] = {
        "max_tries=5", "attribute=phone_number", "debug", "client_metadata=host=%h", "client_metadata=tty=%t", NULL};
    struct options options;

    (void)state;
    assert_true(load(&options, "max_tries = 2\nattribute = email\ndebug = no\nclient_metadata = a=b\n", arguments));
    assert_int_equal(options.max_tries, 5);
    assert_int_equal(options.attribute.count, 1);
    assert_string_equal(options.attribute.items[0], "phone_number");
    assert_true(options.debug);
    assert_int_equal(options.client_metadata.count, 2);
    assert_string_equal(options.client_metadata.items[0], "host=%h");
    options_free(&options);
}

static void the_file_is_read_as_documented(void **state)
{
    struct options options;

    (void)state;
    assert_true(load(&options,
                     "\n  # a comment\n\tmax_tries\t=  7  \nattribute = email , phone_number\n"
                     "token = file:/run/tokens/%u, signin\nclient_metadata = host=%h = here\n",
                     NULL));
    assert_int_equal(options.max_tries, 7);
    assert_int_equal(options.attribute.count, 2);
    assert_string_equal(options.attribute.items[1], "phone_number");
    assert_int_equal(options.token.count, 2);
    assert_string_equal(options.token.items[0], "file:/run/tokens/%u");
    assert_string_equal(options.client_metadata.items[0], "host=%h = here");
    options_free(&options);
}

/* Each as the fourth line of the file; the message must name the line and the key. */
static void bad_lines_are_refused_by_line(void **state)
{
    static const char *const cases[][2] = {
        {"colour = blue", "unknown key colour"},
        {"max_tries", "key = value"},
        {"max_tries =", "max_tries"},
        {"max_tries = 0", "max_tries expects a number of answers from 1 to 10"},
        {"max_tries = 11", "max_tries"},
        {"max_tries = 3x", "max_tries"},
        {"max_tries = -1", "max_tries"},
        {"max_tries = 99999999999999999999", "max_tries"},
        {"remember = 86401", "remember"},
        {"client_id = other", "client_id stands here a second time"},
        {"endpoint = http://cognito.example", "endpoint"},
        {"endpoint = https://user@cognito.example", "endpoint"},
        {"endpoint = https://cognito.example/?x=y", "endpoint"},
        {"endpoint = https://cognito.example/#x", "endpoint"},
        {"endpoint = https://", "endpoint"},
        {"endpoint = https:///path", "endpoint"},
        {"endpoint = HTTPS://cognito.example", "endpoint"},
        {"endpoint = cognito.example", "endpoint"},
        {"endpoint = https://cognito.example:", "endpoint"},
        {"endpoint = https://cognito.example:0", "endpoint"},
        {"endpoint = https://cognito.example:65536", "endpoint"},
        {"endpoint = https://cognito.example:99999999999999", "endpoint"},
        {"endpoint = https://cognito.example:443x", "endpoint"},
        {"endpoint = https://[::1", "endpoint"},
        {"endpoint = https://[::1]x", "endpoint"},
        {"endpoint = https://[]", "endpoint"},
        {"endpoint = https://a]b", "endpoint"},
        {"jwks_url = http://cognito.example/jwks.json", "jwks_url"},
        {"ca_path = certs", "ca_path expects an absolute path"},
        {"username = %x", "username"},
        {"username = 100%", "username"},
        {"match = phone", "match"},
        {"match = custom:", "match"},
        {"token = signin,,authtok", "token"},
        {"token = ", "token"},
        {"token = signin, signin", "token"},
        {"token = file:tokens/%u", "token"},
        {"token = file:/tokens/%q", "token"},
        {"token = env:", "token"},
        {"token = elsewhere", "token"},
        {"signin_flow = SRP", "signin_flow expects one of srp password"},
        {"attribute = address", "attribute"},
        {"attribute = email,email", "attribute"},
        {"when = never", "when"},
        {"debug = on", "debug expects yes or no"},
        {"debug", "key = value"},
        {"echo = maybe", "echo"},
        {"exempt_group = wheel,", "exempt_group"},
        {"client_metadata = host", "client_metadata"},
        {"client_metadata = =x", "client_metadata"},
        {"client_metadata = a=%z", "client_metadata"},
        {"client_id =\x01x", "control character"},
        {"token = command:/usr/bin/token", "token_command_user is missing"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct options options;
        char place[64];

        if (load(&options, cases[i][0], NULL))
            fail_msg("accepted: %s", cases[i][0]);
        snprintf(place, sizeof place, strstr(why, "missing") ? "%s: " : "%s:4: ", file);
        if (strncmp(why, place, strlen(place)) != 0 || strstr(why, cases[i][1]) == NULL)
            fail_msg("%s: says %s", cases[i][0], why);
        options_free(&options);
    }
}

static void bad_arguments_are_refused_by_name(void **state)
{
    static const char *const cases[][2] = {
        {"colour=blue", "argument colour: unknown key colour"},
        {"debug=yes", "argument debug: debug is a flag"},
        {"max_tries", "argument max_tries: max_tries needs a value"},
        {"conf=etc/x", "argument conf: conf expects an absolute path"},
        {"conf=/nonexistent/pam_cognito.conf", "/nonexistent/pam_cognito.conf: No such file"},
        {"client_secret=hunter2", "argument client_secret: unknown key client_secret"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *arguments[] = {cases[i][0], NULL};
        struct options options;

        assert_false(load(&options, "", arguments));
        if (strstr(why, cases[i][1]) != why)
            fail_msg("%s: says %s", cases[i][0], why);
        assert_null(strstr(why, "hunter2"));
        options_free(&options);
    }
}

static void arguments_given_twice_are_refused(void **state)
{
    const char *arguments[] = {"max_tries=2", "max_tries=2", NULL};
    struct options options;

    (void)state;
    assert_false(load(&options, "", arguments));
    assert_non_null(strstr(why, "a second time"));
    options_free(&options);
}

static void what_is_required_is_asked_for(void **state)
{
    static const char *const cases[][2] = {
        {"user_pool_id = a_b\nclient_id = c\n", "region is missing"},
        {"region = eu-west-1\nclient_id = c\n", "user_pool_id is missing"},
        {"region = eu-west-1\nuser_pool_id = a_b\n", "client_id is missing"},
        {"endpoint = https://e\nuser_pool_id = a_b\nclient_id = c\n", "region is missing"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct options options;

        write_file(cases[i][0]);
        assert_false(options_load(&options, file, 0, NULL, why, sizeof why));
        assert_non_null(strstr(why, cases[i][1]));
        options_free(&options);
    }
}

static void only_the_default_file_may_be_missing(void **state)
{
    const char *arguments[] = {"region=eu-west-1", "user_pool_id=a_b", "client_id=c"};
    struct options options;

    (void)state;
    assert_true(options_load(&options, "/nonexistent/x.conf", 3, arguments, why, sizeof why));
    options_free(&options);
}

static void unsafe_files_are_refused(void **state)
{
    struct options options;

    (void)state;
    write_file(MINIMAL);
    assert_int_equal(chmod(file, 0620), 0);
    assert_false(options_load(&options, file, 0, NULL, why, sizeof why));
    assert_non_null(strstr(why, "writable by others"));
    options_free(&options);
    assert_int_equal(chmod(file, 0644), 0);
    assert_true(options_load(&options, file, 0, NULL, why, sizeof why));
    options_free(&options);
    assert_false(options_load(&options, "/tmp", 0, NULL, why, sizeof why));
    assert_non_null(strstr(why, "not a regular file"));
    options_free(&options);
}

/* The option as "value|from:line", to be compared and forgotten. */
static void assert_option(const struct options *options, enum option_place place, const char *expected)
{
    struct option option;
    char text[1024];

    assert_true(options_at(options, place, &option));
    snprintf(text, sizeof text, "%s|%s:%u", option.value == NULL ? "" : option.value,
             option.origin.from == NULL ? "" : option.origin.from, option.origin.line);
    assert_string_equal(text, expected);
    option_free(&option);
}

static void values_are_told_with_where_they_come_from(void **state)
{
    const char *const arguments[] = {"max_tries=5", "debug", "remember=60", NULL};
    struct options options;
    struct option option;

    (void)state;
    assert_true(load(&options,
                     "\n# more\nattribute = phone_number , email\nwhen=unverified\nclient_metadata = a=1, 2\n"
                     "client_metadata = b=%h\nremember = 50\necho = no\n",
                     arguments));
    assert_option(&options, OPTION_region, "eu-west-1|file:1");
    assert_option(&options, OPTION_attribute, "phone_number, email|file:6");
    assert_option(&options, OPTION_when, "unverified|file:7");
    assert_option(&options, OPTION_client_metadata, "a=1, 2, b=%h|file:8");
    assert_option(&options, OPTION_echo, "no|file:11");
    assert_option(&options, OPTION_max_tries, "5|argument:0");
    assert_option(&options, OPTION_debug, "yes|argument:0");
    assert_option(&options, OPTION_remember, "60|argument:0");
    assert_option(&options, OPTION_max_sends, "3|default:0");
    assert_option(&options, OPTION_signin_flow, "srp|default:0");
    assert_option(&options, OPTION_require, "no|default:0");
    assert_option(&options, OPTION_proxy, "|:0");
    assert_option(&options, OPTION_endpoint, "https://cognito-idp.eu-west-1.amazonaws.com|derived from region:0");
    for (int place = 0; place < OPTIONS_COUNT; place++) {
        assert_true(options_at(&options, (enum option_place)place, &option));
        assert_true((option.value == NULL) == (option.origin.from == NULL));
        option_free(&option);
    }
    options_free(&options);
    assert_option(&options, OPTION_region, "|:0");
}

/* Counts them, and keeps the last. */
static void heed(void *data, const char *what)
{
    ++*(int *)data;
    snprintf(why, sizeof why, "%s", what);
}

static void a_reader_hears_of_every_error(void **state)
{
    struct options options;
    int heard = 0;

    (void)state;
    write_file(MINIMAL "max_tries = 4\n");
    assert_true(options_read(&options, file, heed, &heard));
    assert_int_equal(heard, 0);
    options_free(&options);

    write_file("region = eu-west-1\ncolour = blue\nlost\nmax_tries = 11\nuser_pool_id = ?\nsend_limit = 7\n"
               "token = command:/x, signin, signin\n");
    assert_false(options_read(&options, file, heed, &heard));
    /* Five lines, and the one key that no line says. */
    assert_int_equal(heard, 6);
    assert_non_null(strstr(why, ": client_id is missing"));
    assert_option(&options, OPTION_send_limit, "7|file:6");
    assert_option(&options, OPTION_max_tries, "|:4");
    assert_option(&options, OPTION_user_pool_id, "|:5");
    assert_option(&options, OPTION_token, "|:7");
    assert_option(&options, OPTION_client_id, "|:0");
    assert_option(&options, OPTION_endpoint, "https://cognito-idp.eu-west-1.amazonaws.com|derived from region:0");
    assert_option(&options, OPTION_issuer, "|:0");
    options_free(&options);

    heard = 0;
    assert_false(options_read(&options, "/nonexistent/x.conf", heed, &heard));
    assert_int_equal(heard, 1);
    options_free(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_documented_ones),
        cmocka_unit_test(endpoints_follow_the_partition),
        cmocka_unit_test(keys_have_the_issuers_path_on_the_endpoints_host),
        cmocka_unit_test(arguments_override_the_file),
        cmocka_unit_test(the_file_is_read_as_documented),
        cmocka_unit_test(bad_lines_are_refused_by_line),
        cmocka_unit_test(bad_arguments_are_refused_by_name),
        cmocka_unit_test(arguments_given_twice_are_refused),
        cmocka_unit_test(what_is_required_is_asked_for),
        cmocka_unit_test(only_the_default_file_may_be_missing),
        cmocka_unit_test(unsafe_files_are_refused),
        cmocka_unit_test(values_are_told_with_where_they_come_from),
        cmocka_unit_test(a_reader_hears_of_every_error),
    };

    return cmocka_run_group_tests_name("options", tests, make_file, remove_file);
}
