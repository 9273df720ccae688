/* The error table against wire.md's, row by row, and the rules that hold for all rows. */
#include "unit.h"

#include "common/errors.h"

#include <security/_pam_types.h>
#include <string.h>

/* wire.md, "Errors": name, PAM code elsewhere, PAM code in sign-in, what the user is told (a part of it). */
static const struct {
    const char *name;
    int elsewhere, signin;
    const char *user;
} table[] = {
    {"NotAuthorizedException", PAM_AUTH_ERR, PAM_AUTH_ERR, "session has expired"},
    {"UserNotFoundException", PAM_USER_UNKNOWN, PAM_USER_UNKNOWN, "Sign-in failed"},
    {"UserNotConfirmedException", PAM_AUTH_ERR, PAM_AUTH_ERR, "not confirmed"},
    {"PasswordResetRequiredException", PAM_AUTH_ERR, PAM_AUTH_ERR, "reset"},
    {"CodeMismatchException", PAM_MAXTRIES, PAM_AUTH_ERR, "That code is not right."},
    {"ExpiredCodeException", PAM_AUTH_ERR, PAM_AUTH_ERR, "That code has expired."},
    {"LimitExceededException", PAM_MAXTRIES, PAM_MAXTRIES, "in an hour"},
    {"TooManyRequestsException", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "busy"},
    {"ThrottlingException", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "busy"},
    {"Throttling", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "busy"},
    {"RequestLimitExceeded", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "busy"},
    {"SlowDown", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "busy"},
    {"CodeDeliveryFailureException", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "could not be sent"},
    {"InvalidSmsRoleAccessPolicyException", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "ontact your administrator"},
    {"InvalidSmsRoleTrustRelationshipException", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL,
     "ontact your administrator"},
    {"InvalidEmailRoleAccessPolicyException", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "ontact your administrator"},
    {"UnexpectedLambdaException", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "ontact your administrator"},
    {"InvalidLambdaResponseException", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "ontact your administrator"},
    {"UserLambdaValidationException", PAM_AUTH_ERR, PAM_AUTH_ERR, "policy"},
    {"InvalidParameterException", PAM_AUTHINFO_UNAVAIL, PAM_AUTH_ERR, "cannot be verified"},
    {"InvalidUserPoolConfigurationException", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "ontact your administrator"},
    {"UnsupportedOperationException", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "ontact your administrator"},
    {"OperationNotEnabledException", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "ontact your administrator"},
    {"ResourceNotFoundException", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "ontact your administrator"},
    {"AliasExistsException", PAM_AUTH_ERR, PAM_AUTH_ERR, "another account"},
    {"ForbiddenException", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "blocked"},
    {"InvalidPasswordException", PAM_AUTH_ERR, PAM_AUTH_ERR, "Sign-in failed"},
    {"MFAMethodNotFoundException", PAM_AUTH_ERR, PAM_AUTH_ERR, "multi-factor"},
    {"SoftwareTokenMFANotFoundException", PAM_AUTH_ERR, PAM_AUTH_ERR, "multi-factor"},
    {"RefreshTokenReuseException", PAM_AUTH_ERR, PAM_AUTH_ERR, "Sign in again"},
    {"InternalErrorException", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "unavailable"},
    {"InternalFailure", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "unavailable"},
    {"ServiceUnavailable", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "unavailable"},
    {"RequestTimeout", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "unavailable"},
    {"RequestTimeoutException", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "unavailable"},
    {"AccessDeniedException", PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, "nternal error"},
    {"IncompleteSignature", PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, "nternal error"},
    {"InvalidAction", PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, "nternal error"},
    {"UnknownOperationException", PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, "nternal error"},
    {"ValidationError", PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, "nternal error"},
    {"SerializationException", PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, "nternal error"},
    {"MalformedHttpRequestException", PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, "nternal error"},
    {"MissingAuthenticationToken", PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, "nternal error"},
    {"OptInRequired", PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, "nternal error"},
    {"RequestExpired", PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, "nternal error"},
    {"RequestEntityTooLargeException", PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, "nternal error"},
    {"UnrecognizedClientException", PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, "nternal error"},
    {"ExpiredTokenException", PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, "nternal error"},
    {"NotAuthorized", PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, "nternal error"},
    {"SomethingNobodyKnows", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, "unavailable"},
};

static void every_row_is_that_of_the_document(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        enum error error = error_by_wire_name(table[i].name);

        if (error_pam_code(error, false) != table[i].elsewhere || error_pam_code(error, true) != table[i].signin ||
            strstr(error_user_text(error, false), table[i].user) == NULL)
            fail_msg("%s: %d %d %s", table[i].name, error_pam_code(error, false), error_pam_code(error, true),
                     error_user_text(error, false));
        if (i + 1 < COUNT(table))
            assert_string_equal(error_name(error), table[i].name);
    }
}

static void no_row_is_missing(void **state)
{
    size_t on_the_wire = 0;

    (void)state;
    for (int error = ERR_NONE; error < ERR_COUNT; error++)
        if (error_by_wire_name(error_name((enum error)error)) == (enum error)error && error != ERR_UNKNOWN_ERROR)
            on_the_wire++;
    /* PasswordHistoryPolicyViolationException is in the API model and not in the document's table. */
    assert_int_equal(on_the_wire, COUNT(table) - 1 + 1);
}

static void no_error_is_a_verdict(void **state)
{
    (void)state;
    for (int error = -1; error <= ERR_COUNT; error++)
        for (int signin = 0; signin < 2; signin++) {
            int code = error_pam_code((enum error)error, signin != 0);

            assert_int_not_equal(code, PAM_SUCCESS);
            assert_int_not_equal(code, PAM_IGNORE);
            assert_int_not_equal(code, PAM_CRED_INSUFFICIENT);
        }
}

static void sign_in_hides_whether_the_user_exists(void **state)
{
    (void)state;
    assert_string_equal(error_user_text(ERR_NOT_AUTHORIZED, true), error_user_text(ERR_USER_NOT_FOUND, true));
}

static void no_reply_can_name_a_local_error(void **state)
{
    (void)state;
    assert_int_equal(error_by_wire_name("deadline"), ERR_UNKNOWN_ERROR);
    assert_int_equal(error_by_wire_name("none"), ERR_UNKNOWN_ERROR);
    assert_int_equal(error_by_wire_name(""), ERR_UNKNOWN_ERROR);
}

static void only_throttling_may_be_tried_again(void **state)
{
    (void)state;
    for (int error = ERR_NONE; error < ERR_COUNT; error++) {
        const char *name = error_name((enum error)error);
        bool expected = strcmp(name, "TooManyRequestsException") == 0 || strcmp(name, "ThrottlingException") == 0 ||
                        strcmp(name, "Throttling") == 0 || strcmp(name, "RequestLimitExceeded") == 0 ||
                        strcmp(name, "SlowDown") == 0;

        assert_int_equal(error_is_throttling((enum error)error), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_that_of_the_document),
        cmocka_unit_test(no_row_is_missing),
        cmocka_unit_test(no_error_is_a_verdict),
        cmocka_unit_test(sign_in_hides_whether_the_user_exists),
        cmocka_unit_test(no_reply_can_name_a_local_error),
        cmocka_unit_test(only_throttling_may_be_tried_again),
    };

    return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
