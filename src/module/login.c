#include "module/login.h"

#include "common/text.h"
#include "module/log.h"
#include "module/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Two modules share the record: of another build they may not agree on what it looks like. */
#define RECORD_NAME "pam_cognito " PACKAGE_VERSION

static void free_login(struct login *login)
{
    login_end(login);
    options_free(&login->options);
    strings_free(&login->metadata);
    free(login->user);
    free(login->service);
    free(login->ruser);
    free(login->rhost);
    free(login->tty);
    free(login);
}

static void cleanup(pam_handle_t *pamh, void *data, int status)
{
    (void)pamh;
    (void)status;
    free_login(data);
}

static struct login *find(const pam_handle_t *pamh)
{
    const void *data = NULL;

    return pam_get_data(pamh, RECORD_NAME, &data) == PAM_SUCCESS ? (struct login *)(uintptr_t)data : NULL;
}

static char *item_copy(const pam_handle_t *pamh, int item)
{
    const void *value = NULL;

    if (pam_get_item(pamh, item, &value) != PAM_SUCCESS || value == NULL)
        value = "";
    return strdup(value);
}

static void enter(struct login *login, pam_handle_t *pamh, int flags)
{
    login->pamh = pamh;
    login->silent = (flags & PAM_SILENT) != 0;
    login->began = clock_ms();
    login->request_id[0] = login->detail[0] = '\0';
}

struct login *login_begin(pam_handle_t *pamh, int flags)
{
    struct login *old = find(pamh);
    struct login *login;

    /* First of all: whatever happens from here on, an earlier verdict is void. */
    if (old != NULL)
        old->state = LOGIN_ATTEMPTED;
    login = calloc(1, sizeof *login);
    if (login == NULL)
        return NULL;
    /* Before all that may fail: then the guard finds it, and it is *attempted*. */
    if (pam_set_data(pamh, RECORD_NAME, login, cleanup) != PAM_SUCCESS) {
        free_login(login);
        return NULL;
    }
    enter(login, pamh, flags);
    login->service = item_copy(pamh, PAM_SERVICE);
    login->ruser = item_copy(pamh, PAM_RUSER);
    login->rhost = item_copy(pamh, PAM_RHOST);
    login->tty = item_copy(pamh, PAM_TTY);
    if (login->service == NULL || login->ruser == NULL || login->rhost == NULL || login->tty == NULL ||
        gethostname(login->host, sizeof login->host - 1) != 0)
        return NULL;
    return login;
}

struct login *login_resume(pam_handle_t *pamh, int flags)
{
    struct login *login = find(pamh);

    if (login != NULL)
        enter(login, pamh, flags);
    return login;
}

static char *item(const pam_handle_t *pamh, int item)
{
    const void *value = NULL;

    return pam_get_item(pamh, item, &value) == PAM_SUCCESS ? (char *)(uintptr_t)value : NULL;
}

struct login login_unrecorded(pam_handle_t *pamh, int flags)
{
    return (struct login){
        .pamh = pamh,
        .silent = (flags & PAM_SILENT) != 0,
        .user = item(pamh, PAM_USER),
        .service = item(pamh, PAM_SERVICE),
        .rhost = item(pamh, PAM_RHOST),
        .began = clock_ms(),
    };
}

static bool is_same_user(const struct login *login, const pam_handle_t *pamh)
{
    const void *user = NULL;

    return pam_get_item(pamh, PAM_USER, &user) == PAM_SUCCESS && user != NULL && login->user != NULL &&
           strcmp(user, login->user) == 0;
}

struct facts login_facts(const struct login *login, bool accepted)
{
    if (login == NULL)
        return (struct facts){.recorded = false};
    return (struct facts){
        .recorded = true,
        .state = login->state,
        .answered = login->answer.length > 0,
        .signed_in = login->signed_in,
        .used = login->used,
        .same_user = is_same_user(login, login->pamh),
        .accepted = accepted,
    };
}

struct facts login_facts_of(const pam_handle_t *pamh)
{
    const void *data = NULL;
    int status = pam_get_data(pamh, RECORD_NAME, &data);
    const struct login *login = data;
    struct facts facts;

    /* There may be a record that cannot be had: it counts as one of a login that failed. */
    if (status != PAM_SUCCESS && status != PAM_NO_MODULE_DATA)
        return (struct facts){.recorded = true, .state = LOGIN_ATTEMPTED};
    facts = login_facts(login, false);
    if (login != NULL)
        facts.same_user = is_same_user(login, pamh);
    return facts;
}

void login_end(struct login *login)
{
    helper_end(&login->helper);
    secret_free(&login->answer);
    secret_free(&login->local_password);
}

struct template_values login_values(const struct login *login)
{
    return (struct template_values){
        .user = login->user,
        .host = login->host,
        .service = login->service,
        .rhost = login->rhost,
        .tty = login->tty,
    };
}

struct list login_metadata(const struct login *login)
{
    struct list list = {.count = (uint32_t)login->metadata.count};

    for (size_t i = 0; i < login->metadata.count; i++)
        list.items[i] = login->metadata.items[i];
    return list;
}

void login_keep_result(struct login *login, const struct result_message *result)
{
    text_printable(login->request_id, sizeof login->request_id, result->request_id);
    if (*result->wire_name == '\0')
        text_printable(login->detail, sizeof login->detail, result->detail);
    else {
        char text[sizeof login->detail];

        snprintf(text, sizeof text, "%s: %s", result->wire_name, result->detail);
        text_printable(login->detail, sizeof login->detail, text);
    }
}

/* When a call must be over. */
static deadline_t call_deadline(const struct login *login)
{
    deadline_t deadline = deadline_in((int64_t)login->options.request_timeout * 1000 + PROGRAM_GRACE_MS);

    return deadline_first(deadline, login->deadline);
}

void login_warm(struct login *login, const char *flow)
{
    const struct warm_message message = {.flow = flow};

    helper_post(login->helper, MSG_WARM, &message, call_deadline(login));
}

enum error login_call(struct login *login, enum message_type type, const void *message, struct result_message *result)
{
    static const char *const names[MSG_COUNT] = {
#define M(id, name) [MSG_##id] = #name,
        MESSAGES(M)
#undef M
    };
    bool first = *helper_lockdown(login->helper) == '\0';
    int64_t began = clock_ms();
    enum error error = helper_call(login->helper, type, message, call_deadline(login), result);

    if (first && *helper_lockdown(login->helper) != '\0')
        log_lockdown(login, helper_lockdown(login->helper));
    login->in_signin = result->signin != 0;
    login_keep_result(login, result);
    if (error == ERR_DEADLINE && deadline_left(login->deadline) == 0)
        error = ERR_LOGIN_TIMEOUT;
    log_call(login, names[type], error, clock_ms() - began);
    return error;
}
