/* Errors as Cognito writes them: wire.md, "Errors". */
#include "unit.h"

#include "helper/json.h"
#include "helper/wire_error.h"

#include <string.h>

static void names_are_cut_out(void **state)
{
    static const struct {
        const char *type, *name;
    } rows[] = {
        {"LimitExceededException", "LimitExceededException"},
        {"com.amazonaws.cognito.identity.idp.model#LimitExceededException", "LimitExceededException"},
        {"LimitExceededException:http://internal.amazon.com/coral/com.amazonaws.cognito#x/", "LimitExceededException"},
        {"a.b#LimitExceededException:http://internal.amazon.com/#x", "LimitExceededException"},
        {"LimitExceededException,com.amazon.coral.service.InternalFailure", "LimitExceededException"},
        {"LimitExceededException,a#InternalFailure:b", "LimitExceededException"},
        {"a#b#SlowDown", "SlowDown"},
        {"Evil\033[2J\xff", "Evil?[2J?"},
        {":SlowDown", ""},
        {"SlowDown#", ""},
        {"", ""},
        {NULL, ""},
    };
    char name[128], small[5];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(wire_error_name(rows[i].type, name, sizeof name), rows[i].name);
    assert_string_equal(wire_error_name("LimitExceededException", small, sizeof small), "Limi");
}

static void replies_become_errors(void **state)
{
    static const struct {
        long status;
        const char *header, *body;
        enum error error;
        const char *wire_name, *detail;
    } rows[] = {
        {400, "", "{\"__type\":\"LimitExceededException\",\"message\":\"Attempt limit exceeded.\"}", ERR_LIMIT_EXCEEDED,
         "", "Attempt limit exceeded."},
        {400, "NotAuthorizedException:", "{\"Message\":\"No.\"}", ERR_NOT_AUTHORIZED, "", "No."},
        {400, "", "{\"__type\":\"SlowDown\",\"message\":\"small\",\"Message\":\"big\"}", ERR_SLOW_DOWN, "", "small"},
        /* the body goes before the header, but one that says nothing does not hide it */
        {400, "SlowDown", "{\"__type\":\"a#CodeMismatchException\"}", ERR_CODE_MISMATCH, "", "HTTP status 400"},
        {400, "SlowDown", "{\"__type\":\"\"}", ERR_SLOW_DOWN, "", "HTTP status 400"},
        {400, "SlowDown", "{\"__type\":5,\"message\":[]}", ERR_SLOW_DOWN, "", "HTTP status 400"},
        {400, "SlowDown", NULL, ERR_SLOW_DOWN, "", "HTTP status 400"},
        {500, "", "{\"__type\":\"InternalErrorException\"}", ERR_INTERNAL_ERROR, "", "HTTP status 500"},
        {403, "", "{\"__type\":\"ForbiddenException\"}", ERR_FORBIDDEN, "", "HTTP status 403"},
        /* names that nobody knows, and names that only this side may use */
        {400, "", "{\"__type\":\"NewException\",\"message\":\"?\"}", ERR_UNKNOWN_ERROR, "NewException", "?"},
        {503, "NewException", NULL, ERR_UNKNOWN_ERROR, "NewException", "HTTP status 503"},
        {403, "NewException", NULL, ERR_UNKNOWN_ERROR, "NewException", "HTTP status 403"},
        {400, "", "{\"__type\":\"none\"}", ERR_UNKNOWN_ERROR, "none", "HTTP status 400"},
        {400, "", "{\"__type\":\"memory\"}", ERR_UNKNOWN_ERROR, "memory", "HTTP status 400"},
        /* no name: the status has to do */
        {403, "", NULL, ERR_BLOCKED_REPLY, "", "HTTP status 403"},
        {405, "", "{}", ERR_BLOCKED_REPLY, "", "HTTP status 405"},
        {403, "", "{\"message\":\"Forbidden\"}", ERR_BLOCKED_REPLY, "", "Forbidden"},
        {500, "", NULL, ERR_SERVER_ERROR, "", "HTTP status 500"},
        {599, "", "{}", ERR_SERVER_ERROR, "", "HTTP status 599"},
        {600, "", NULL, ERR_UNKNOWN_ERROR, "", "HTTP status 600"},
        {499, "", NULL, ERR_UNKNOWN_ERROR, "", "HTTP status 499"},
        {404, "", "{}", ERR_UNKNOWN_ERROR, "", "HTTP status 404"},
        {302, "", NULL, ERR_UNKNOWN_ERROR, "", "HTTP status 302"},
        {201, "", "{}", ERR_UNKNOWN_ERROR, "", "HTTP status 201"},
        /* text from strangers */
        {400, "", "{\"__type\":\"SlowDown\",\"message\":\"a\\u001b[2J\\n%s\\u00e9\"}", ERR_SLOW_DOWN, "", "a?[2J?%s??"},
        {400, "", "{\"__type\":\"SlowDown\",\"message\":\"a\\u0000b\"}", ERR_SLOW_DOWN, "", "HTTP status 400"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_object *body = rows[i].body == NULL ? NULL : json_parse(rows[i].body, strlen(rows[i].body));
        struct result result;

        assert_true(body != NULL || rows[i].body == NULL);
        result_begin(&result);
        assert_false(wire_error_read(rows[i].status, rows[i].header, body, &result));
        if (result.error != rows[i].error)
            fail_msg("row %zu: %s", i, error_name(result.error));
        assert_string_equal(result.wire_name, rows[i].wire_name);
        assert_string_equal(result.detail, rows[i].detail);
        json_object_put(body);
    }
}

static void long_texts_are_cut(void **state)
{
    char text[1024] = "{\"__type\":\"";
    struct json_object *body;
    struct result result;

    (void)state;
    memset(text + strlen(text), 'T', 300);
    strcat(text, "\",\"message\":\"");
    memset(text + strlen(text), 'm', 300);
    strcat(text, "\"}");
    body = json_parse(text, strlen(text));
    assert_non_null(body);
    result_begin(&result);
    wire_error_read(400, "", body, &result);
    assert_int_equal(strlen(result.wire_name), 64);
    assert_int_equal(strlen(result.detail), 200);
    json_object_put(body);
}

static void a_result_begins_as_a_failure(void **state)
{
    struct result_message message;
    struct result result;

    (void)state;
    memset(&result, 0, sizeof result);
    result_begin(&result);
    assert_int_not_equal(result.error, ERR_NONE);
    assert_string_not_equal(result.detail, "");
    assert_false(result_fail(&result, ERR_TLS, "%s", "why"));
    result_message(&result, &message);
    assert_int_equal(message.error, ERR_TLS);
    assert_string_equal(message.detail, "why");
    result_succeed(&result);
    result_message(&result, &message);
    assert_int_equal(message.error, ERR_NONE);
    assert_string_equal(message.detail, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_cut_out),
        cmocka_unit_test(replies_become_errors),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(a_result_begins_as_a_failure),
    };

    return cmocka_run_group_tests_name("helper_cognito", tests, NULL, NULL);
}
