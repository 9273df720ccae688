/*
 * The steps themselves: the code step, the companion and the guard, CALLS of them in any order, on one handle whose
 * user changes at any point. What they stand on is replaced by stand-ins that do whatever they can: libpam, the person,
 * the helper, the administrator. What a call may say is reckoned from what those did, never from what the record holds.
 */
#include "proof.h"

#include "module/ask.h"
#include "module/attribute.h"
#include "module/budget.h"
#include "module/log.h"
#include "module/metadata.h"
#include "module/policy.h"
#include "module/pool_keys.h"
#include "module/prepared.h"
#include "module/remember.h"
#include "module/say.h"
#include "module/steps.h"
#include "module/token.h"

#include "common/safe_file.h"
#include "common/text.h"

#include <stdlib.h>
#include <string.h>

#ifndef CALLS
#define CALLS 4
#endif

/* The options bound how often a person is asked; here so low that there are not too many ways through. */
#define TRIES_MOST 2
#define SENDS_MOST 2

static const char *user = "u"; /* PAM_USER */

/* What the stand-ins did in the call that is under way. */
static struct {
    bool exempt, waived, signed_in;
    bool sent;     /* Cognito sent a code */
    bool typed;    /* and then the person typed what can be one, last of all */
    bool accepted; /* and Cognito took it */
    unsigned int prompts;
} seen;

/* What came before. */
static struct {
    bool recorded;          /* the handle took a record */
    int said;               /* by the last code step */
    const char *user;       /* for whom */
    bool waived, signed_in; /* and why */
    bool used;              /* the companion was called since then */
    bool confirmed;         /* and said PAM_SUCCESS */
} past;

static enum error nondet_error(void)
{
    unsigned int error = (unsigned int)nondet_int();

    __CPROVER_assume(error < ERR_COUNT);
    return (enum error)error;
}

/* A handle. */

static void *record;
static void (*forget)(pam_handle_t *, void *, int);

int pam_set_data(pam_handle_t *handle, const char *, void *data, void (*cleanup)(pam_handle_t *, void *, int))
{
    if (nondet_bool())
        return PAM_BUF_ERR;
    if (record != NULL)
        forget(handle, record, PAM_DATA_REPLACE);
    record = data;
    forget = cleanup;
    past.recorded = true;
    return PAM_SUCCESS;
}

int pam_get_data(const pam_handle_t *, const char *, const void **data)
{
    *data = record;
    return record == NULL ? PAM_NO_MODULE_DATA : PAM_SUCCESS;
}

int pam_get_item(const pam_handle_t *, int item, const void **value)
{
    *value = item == PAM_USER ? user : NULL;
    return nondet_bool() ? PAM_SUCCESS : PAM_BUF_ERR;
}

int pam_get_user(pam_handle_t *, const char **name, const char *)
{
    *name = user;
    return nondet_bool() ? PAM_SUCCESS : PAM_CONV_ERR;
}

/* A host. Nothing depends on the texts, and what depends on the time may depend on any. */

int gethostname(char *name, size_t)
{
    *name = '\0';
    return nondet_bool() ? 0 : -1;
}

int snprintf(char *out, size_t size, const char *, ...)
{
    if (size > 0)
        *out = '\0';
    return 0;
}

char *text_printable(char *out, size_t, const char *)
{
    *out = '\0';
    return out;
}

char *text_fill(char *out, size_t, const char *, const char *)
{
    *out = '\0';
    return out;
}

bool text_is_word(const char *)
{
    return nondet_bool();
}

const char *say(const char *text)
{
    return text;
}

int64_t clock_ms(void)
{
    return 0;
}

deadline_t deadline_in(int64_t)
{
    return 0;
}

deadline_t deadline_first(deadline_t a, deadline_t)
{
    return a;
}

int deadline_left(deadline_t)
{
    return nondet_bool() ? 1 : 0;
}

void log_outcome(const struct login *, enum error, const char *)
{
}

void log_call(const struct login *, const char *, enum error, int64_t)
{
}

void secret_free(struct secret *secret)
{
    *secret = (struct secret){NULL, 0};
}

void strings_free(struct strings *)
{
}

/* An administrator. */

bool options_load(struct options *options, const char *, int, const char *const *, char *, size_t)
{
    *options = (struct options){
        .max_tries = nondet_bool() ? 1 : TRIES_MOST,
        .max_sends = nondet_bool() ? 1 : SENDS_MOST,
        .require = nondet_bool(),
    };
    return nondet_bool();
}

void options_free(struct options *)
{
}

enum safe_result safe_file_read(const char *, int, size_t, struct secret *, char *, size_t)
{
    return SAFE_REFUSED;
}

bool template_expand(const char *, const struct template_values *, char *out, size_t)
{
    *out = nondet_bool() ? 'u' : '\0';
    return nondet_bool();
}

enum error metadata_expand(struct login *)
{
    return nondet_error();
}

enum error policy_check(struct login *)
{
    return nondet_error();
}

enum error policy_exempts(struct login *, bool *exempt)
{
    enum error error = nondet_error();

    *exempt = error == ERR_NONE && nondet_bool();
    seen.exempt = *exempt;
    return error;
}

bool remember_has(const struct login *, const char *)
{
    seen.waived = nondet_bool();
    return seen.waived;
}

void remember_keep(struct login *, const char *)
{
    assert(seen.accepted);
}

enum error budget_take(struct login *, const char *)
{
    return nondet_error();
}

struct helper *prepared_take(const pam_handle_t *, const struct start_message *)
{
    return NULL;
}

void pool_keys_find(const struct options *, char (*text)[KEYS_MOST + 1])
{
    (*text)[0] = '\0';
}

void pool_keys_keep(const struct login *, const char *)
{
}

/* A helper, and Cognito behind it. */

struct helper {
    int nothing;
};

static struct helper helper;

enum error helper_start(struct helper **started, const struct start_message *, char *, size_t)
{
    enum error error = nondet_error();

    *started = error == ERR_NONE ? &helper : NULL;
    return error;
}

void helper_post(struct helper *, enum message_type, const void *, deadline_t)
{
}

enum error helper_call(struct helper *, enum message_type type, const void *message, deadline_t,
                       struct result_message *result)
{
    static char text[1];
    enum error error = nondet_error();

    *result = (struct result_message){.detail = text,
                                      .wire_name = text,
                                      .request_id = text,
                                      .medium = text,
                                      .destination = text,
                                      .keys = text,
                                      .signin = nondet_bool()};
    if (type == MSG_SEND)
        seen.sent = error == ERR_NONE || seen.sent;
    if (type == MSG_VERIFY) {
        const struct verify_message *verify = message;

        /* A code is on its way, its user is this one, and what goes there is what was typed. */
        assert(past.said == PAM_CRED_INSUFFICIENT && past.user == user && !past.used);
        assert(verify->code != NULL && *verify->code == 'c');
        seen.accepted = error == ERR_NONE;
    }
    return error;
}

const char *helper_lockdown(const struct helper *helper)
{
    return helper == NULL ? "" : "full";
}

void log_lockdown(const struct login *, const char *)
{
}

void helper_end(struct helper **ended)
{
    *ended = NULL;
}

enum error token_obtain(struct login *login)
{
    enum error error = nondet_error();

    /* `signin` sets this also when what follows it fails. */
    login->signed_in = nondet_bool();
    seen.signed_in = login->signed_in && error == ERR_NONE;
    return error;
}

enum error attribute_choose(struct login *login)
{
    enum error error = nondet_error();

    login->attribute = "a";
    if (error == ERR_NONE && nondet_bool()) {
        login->state = LOGIN_NOT_NEEDED;
        seen.waived = true;
    }
    return error;
}

/* A person. */

enum error ask_word(struct login *, const char *, const char *, bool, struct secret *answer)
{
    static char code[] = "c";
    enum error error = nondet_error();

    seen.prompts++;
    seen.typed = error == ERR_NONE && (seen.sent || past.said == PAM_CRED_INSUFFICIENT);
    if (error == ERR_NONE)
        *answer = (struct secret){code, 1};
    return error;
}

void tell_error(const struct login *, enum error)
{
}

/* The calls. */

static void call_code(void)
{
    int said;

    past.used = past.confirmed = false;
    past.said = PAM_SYSTEM_ERR;
    said = step_code(NULL, 0, 0, NULL);
    assert(said != PAM_SUCCESS);
    if (said == PAM_CRED_INSUFFICIENT)
        assert(seen.sent && seen.typed && !seen.exempt && !seen.waived);
    if (said == PAM_IGNORE)
        assert((seen.exempt || seen.waived) && !seen.sent && seen.prompts == 0);
    assert(!seen.accepted);
    past.said = said;
    past.user = user;
    past.waived = seen.waived;
    past.signed_in = seen.signed_in;
    MEET(said == PAM_CRED_INSUFFICIENT && seen.prompts > 1);
    MEET(said == PAM_IGNORE && seen.exempt);
    MEET(said == PAM_IGNORE && seen.waived);
}

static void call_confirm(void)
{
    bool good = !past.used && past.user == user;
    int said = step_confirm(NULL, 0);

    assert(said != PAM_CRED_INSUFFICIENT);
    if (said == PAM_SUCCESS)
        assert(good && (past.said == PAM_CRED_INSUFFICIENT ? seen.accepted
                                                           : past.said == PAM_IGNORE && past.waived && past.signed_in));
    if (seen.accepted)
        assert(said == PAM_SUCCESS);
    if (said == PAM_IGNORE)
        assert(good && past.said == PAM_IGNORE && !(past.waived && past.signed_in));
    if (!good || !past.recorded || (past.said != PAM_CRED_INSUFFICIENT && past.said != PAM_IGNORE))
        assert(said == PAM_AUTH_ERR);
    MEET(said == PAM_SUCCESS && seen.accepted && seen.prompts == 0);
    MEET(said == PAM_SUCCESS && seen.accepted && seen.prompts > 0);
    MEET(said == PAM_SUCCESS && past.waived);
    MEET(said == PAM_IGNORE);
    MEET(said == PAM_MAXTRIES);
    MEET(said == PAM_AUTH_ERR && past.used);
    MEET(said == PAM_AUTH_ERR && past.recorded && past.user != user);
    past.used = true;
    past.confirmed = said == PAM_SUCCESS;
}

static void call_guard(void)
{
    int said = step_guard(NULL, 0, 0, NULL);
    bool proved = past.user == user && (past.confirmed || past.said == PAM_IGNORE);

    assert(said == PAM_IGNORE || said == PAM_PERM_DENIED || said == PAM_SERVICE_ERR);
    if (said == PAM_IGNORE)
        assert(!past.recorded || proved);
    MEET(said == PAM_IGNORE && past.confirmed);
    MEET(said == PAM_IGNORE && !past.confirmed && past.recorded);
    MEET(said == PAM_IGNORE && !past.recorded);
    MEET(said == PAM_PERM_DENIED && past.recorded && past.user != user && past.confirmed);
    MEET(said == PAM_PERM_DENIED && past.said == PAM_CRED_INSUFFICIENT && past.used);
}

int main(void)
{
    past.said = PAM_SYSTEM_ERR;
    for (int i = 0; i < CALLS; i++) {
        int which = nondet_int();

        memset(&seen, 0, sizeof seen);
        if (nondet_bool())
            user = *user == 'u' ? "v" : "u";
        if (which == 0)
            call_code();
        else if (which == 1)
            call_confirm();
        else
            call_guard();
    }
    return 0;
}
