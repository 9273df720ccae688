/*
 * One login: the record that pam_cognito_code.so keeps in the PAM handle, and that pam_cognito_confirm.so and the guard
 * read.
 */
#ifndef PAM_COGNITO_LOGIN_H
#define PAM_COGNITO_LOGIN_H

#include "common/deadline.h"
#include "common/errors.h"
#include "common/options.h"
#include "common/secret.h"
#include "common/template.h"
#include "module/client.h"
#include "module/verdict.h"

#include <security/pam_modules.h>
#include <stdbool.h>

/* The handle owns the record and frees it at pam_end(); it owns all that it points to. */
struct login {
    pam_handle_t *pamh; /* of the call that is under way */
    bool silent;        /* the application wants no messages */
    bool explain;       /* the helper is to keep what each check of a token came to; no login asks for it */

    enum login_state state;
    bool signed_in, used;
    char *user, *service, *ruser, *rhost, *tty; /* as they were when the code step began */
    char host[256];
    char username[256]; /* of the Cognito user, by the option of that name */

    struct options options;
    struct helper *helper;
    struct secret local_password; /* what PAM_AUTHTOK was before this module asked for anything */
    struct secret answer;
    struct strings metadata; /* ClientMetadata: name, value, name, value, … */

    const char *attribute; /* the one to be confirmed; borrowed from options */
    char medium[16];       /* CodeDeliveryDetails, made printable; "" where Cognito did not say */
    char destination[128];

    unsigned int tries; /* non-empty answers so far */
    unsigned int sends; /* codes so far */
    unsigned int early; /* new codes asked for too early */
    deadline_t resend_at;
    deadline_t deadline; /* code_timeout */

    int64_t began;       /* clock_ms() of the call that is under way */
    bool in_signin;      /* the last error came from a sign-in call */
    char request_id[64]; /* of the last reply, for the log */
    char detail[512];    /* more on the last error, for the log */
};

/* Begins a code step: the handle's record is *attempted* and otherwise empty, whatever it was before. NULL when memory
 * is short; the record, or the one that was there before, is *attempted* even then. */
struct login *login_begin(pam_handle_t *pamh, int flags);

/* Goes on with the handle's record for a call of the companion; NULL when there is none of this very build. */
struct login *login_resume(pam_handle_t *pamh, int flags);

/* Stands in for the record that a handle does not have, where something is to be logged and said. Owns nothing: what it
 * points to is the handle's. */
struct login login_unrecorded(pam_handle_t *pamh, int flags);

/* The facts of the handle's record, for the guard. */
struct facts login_facts_of(const pam_handle_t *pamh);

/* The facts of a login under way. `accepted`: Cognito accepted its code in this very call. */
struct facts login_facts(const struct login *login, bool accepted);

/* Ends the helper and erases the secrets; what is left is the state. */
void login_end(struct login *login);

/* What templates stand for in this login; borrowed from it. */
struct template_values login_values(const struct login *login);

/* ClientMetadata as messages carry it; borrowed from the login. */
struct list login_metadata(const struct login *login);

/* Keeps the request id and the log detail of a result, made safe. */
void login_keep_result(struct login *login, const struct result_message *result);

/* Has the helper connect, and begin a sign-in by `flow` where that is not "", while somebody is asked or something else
 * is waited for. */
void login_warm(struct login *login, const char *flow);

/* Makes one request of the helper within the deadlines of the call and the login. */
enum error login_call(struct login *login, enum message_type type, const void *message, struct result_message *result);

#endif
