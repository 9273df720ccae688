#include "check/check.h"
#include "check/handle.h"
#include "check/inquiry.h"
#include "check/settings.h"
#include "common/self.h"
#include "module/metadata.h"
#include "module/policy.h"
#include "module/setup.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_SERVICE "sshd"

static const char *const introduction =
    "This signs in to Cognito as a login would, but has no verification code sent.\n"
    "An account with SMS or e-mail as its MFA gets a sign-in code of Cognito's now.";

/* Who he is. False where a login would end, or nobody would ask for a code. */
static bool look_at_user(const struct inquiry *inquiry)
{
    struct login *login = inquiry->login;
    const char *template = login->options.username;
    enum error error = setup_user(login);
    bool exempt = false;

    if (error != ERR_NONE) {
        inquiry_add_error(inquiry, "Cognito name", NULL, error);
        return false;
    }
    if (strstr(template, "%r") != NULL || strstr(template, "%t") != NULL)
        inquiry_add(inquiry, LEVEL_NOTE, "Cognito name", template, login->username,
                    "%r and %t are empty outside of a login: in one it is another name.");
    else
        inquiry_add(inquiry, LEVEL_OK, "Cognito name", template, login->username, NULL);
    error = policy_exempts(login, &exempt);
    if (error != ERR_NONE)
        inquiry_add_error(inquiry, "exempt_group", NULL, error);
    else if (exempt)
        inquiry_add(inquiry, LEVEL_NOTE, "exempt_group", NULL, "a member",
                    "Exempt: no code would be asked, and nothing be sent to Cognito.");
    else if (login->options.exempt_group.count > 0)
        inquiry_add(inquiry, LEVEL_OK, "exempt_group", NULL, "not a member", NULL);
    return error == ERR_NONE && !exempt;
}

/* What a look from outside must do in another way than a login. */
static void look_from_outside(const struct inquiry *inquiry)
{
    struct login *login = inquiry->login;
    struct options *options = &login->options;

    if ((options->use_first_pass || options->try_first_pass) &&
        strings_have(&options->token, "signin", strlen("signin")))
        inquiry_add(inquiry, LEVEL_NOTE, options->use_first_pass ? "use_first_pass" : "try_first_pass", NULL, NULL,
                    "A login takes the password that PAM has already; here it is asked for.");
    options->use_first_pass = options->try_first_pass = false;
    /* As after another factor: then the question says whose password it wants. */
    if (!secret_set(&login->local_password, "", 0))
        inquiry_add_error(inquiry, "password", NULL, ERR_NO_MEMORY);
}

/* The attribute's three strings among those that the account has; NULL if it has it not. */
static const char *const *find_attribute(const struct list *found, const char *name)
{
    for (uint32_t i = 0; i + 2 < found->count; i += 3)
        if (strcmp(found->items[i], name) == 0)
            return &found->items[i];
    return NULL;
}

/* Where a code could go. */
struct places {
    size_t present, possible;
    char names[128];
};

static void look_at_attribute(const struct inquiry *inquiry, const char *name, const char *const *strings,
                              struct places *places)
{
    bool verified = strings != NULL && strcmp(strings[1], "true") == 0;
    size_t length = strlen(places->names);
    char found[192];

    if (strings == NULL) {
        inquiry_add(inquiry, LEVEL_NOTE, name, NULL, "absent", "The account has no such attribute.");
        return;
    }
    snprintf(found, sizeof found, "%s, %sverified", strings[2], verified ? "" : "not ");
    inquiry_add(inquiry, LEVEL_OK, name, NULL, found, NULL);
    places->present++;
    if (verified && inquiry->login->options.when == WHEN_UNVERIFIED)
        return;
    snprintf(places->names + length, sizeof places->names - length, "%s%s", places->possible > 0 ? " or " : "", name);
    places->possible++;
}

/* What attribute_choose() would do. */
static void add_destination(const struct inquiry *inquiry, const struct places *places)
{
    char found[192];

    inquiry->login->detail[0] = '\0';
    if (places->present == 0) {
        inquiry_add_error(inquiry, "code", NULL, ERR_NO_ATTRIBUTE);
    } else if (places->possible == 0) {
        inquiry_add(inquiry, LEVEL_OK, "code", NULL, "none",
                    "With when = unverified none is asked for: Cognito says that the attribute is verified.");
    } else {
        snprintf(found, sizeof found, "%s %s", places->possible > 1 ? "the user chooses" : "to", places->names);
        inquiry_add(inquiry, LEVEL_OK, "code", NULL, found, NULL);
    }
}

static void look_at_attributes(const struct inquiry *inquiry)
{
    const struct strings *names = &inquiry->login->options.attribute;
    struct lookup_message message = {.attributes = {.count = (uint32_t)names->count}};
    struct places places = {.present = 0};
    struct result_message result;
    enum error error;

    for (size_t i = 0; i < names->count; i++)
        message.attributes.items[i] = names->items[i];
    error = login_call(inquiry->login, MSG_LOOKUP, &message, &result);
    if (error != ERR_NONE) {
        inquiry_add_error(inquiry, "GetUser", NULL, error);
        return;
    }
    for (size_t i = 0; i < names->count; i++)
        look_at_attribute(inquiry, names->items[i], find_attribute(&result.choices, names->items[i]), &places);
    add_destination(inquiry, &places);
}

static void look(struct inquiry *inquiry)
{
    struct login *login = inquiry->login;
    enum error error;

    if (!look_at_user(inquiry))
        return;
    look_from_outside(inquiry);
    error = metadata_expand(login);
    if (error == ERR_NONE)
        error = setup_helper(login);
    if (error != ERR_NONE)
        inquiry_add_setup_error(inquiry, "helper", NULL, error);
    else if (inquiry_take_token(inquiry))
        look_at_attributes(inquiry);
}

static int inquire(struct login *login, const char *conf, bool json)
{
    const char *const arguments[] = {conf};
    struct inquiry inquiry = {.login = login};

    if (setup_options(login, 1, arguments) != ERR_NONE)
        return report_failed(json, "%s", login->detail);
    login->explain = true;
    inquiry.report = inquiry_report();
    look(&inquiry);
    if (!handle_lacks_terminal(login->pamh) && !inquiry.needs_root)
        return report_end(&inquiry.report, json);
    report_free(&inquiry.report);
    if (inquiry.needs_root)
        return report_failed(json, "%s: run this as root", login->detail);
    return report_failed(json, "token = signin asks for the Cognito password: run this at a terminal");
}

int user_main(const struct check_arguments *arguments)
{
    const char *service = arguments->service == NULL ? DEFAULT_SERVICE : arguments->service;
    char conf[PATH_MAX + 5] = "conf=", why[512];
    pam_handle_t *handle;
    struct login *login;
    int code;

    /* A password may be typed. */
    self_limit(RLIMIT_CORE, 0);
    if (!settings_find(arguments->config, conf + 5, sizeof conf - 5, why, sizeof why))
        return report_failed(arguments->json, "%s", why);
    handle = handle_new(service, arguments->argument, introduction);
    login = handle == NULL ? NULL : login_begin(handle, 0);
    if (login == NULL)
        code = report_failed(arguments->json, "out of memory");
    else
        code = inquire(login, conf, arguments->json);
    handle_free(&handle);
    return code;
}
