#include "check/config.h"

#include <string.h>

/* Each says whether its note belongs to these options. */

static bool sends_seldom(const struct options *options)
{
    return options->when == WHEN_UNVERIFIED;
}

static bool sends_always(const struct options *options)
{
    return options->when == WHEN_ALWAYS && options->remember == 0;
}

static bool remembers(const struct options *options)
{
    return options->remember > 0;
}

static bool sends_more_than_cognito(const struct options *options)
{
    return options->send_limit > 5;
}

static bool sends_sms(const struct options *options)
{
    return strings_have(&options->attribute, "phone_number", strlen("phone_number"));
}

static bool matches_email(const struct options *options)
{
    return options->match != NULL && strcmp(options->match, "email") == 0;
}

static bool matches_what_clients_write(const struct options *options)
{
    return options->match != NULL &&
           (strcmp(options->match, "preferred_username") == 0 || strncmp(options->match, "custom:", 7) == 0);
}

static bool sends_passwords(const struct options *options)
{
    return options->signin_flow == SIGNIN_PASSWORD && strings_have(&options->token, "signin", strlen("signin"));
}

static bool takes_passwords(const struct options *options)
{
    return options->use_first_pass || options->try_first_pass;
}

static bool exempts(const struct options *options)
{
    return options->exempt_group.count > 0;
}

static const struct {
    const char *key;
    bool (*applies)(const struct options *options);
    const char *text;
} notes[] = {
    {"when", sends_seldom,
     "unverified: a user whose attribute Cognito calls verified is asked for no code. In cognito-login his password "
     "alone lets him in."},
    {"when", sends_always,
     "always, and nothing remembered: Cognito sends at most 5 codes a user and hour, so this is for hosts that are "
     "entered seldom."},
    {"remember", remembers,
     "For so long no code is asked of the same user from the same PAM_RHOST (or terminal). PAM_RHOST is what the "
     "application says."},
    {"send_limit", sends_more_than_cognito,
     "Cognito itself sends at most 5 codes a user and hour, whatever this says."},
    {"attribute", sends_sms,
     "SMS: in the SNS sandbox the call succeeds and nothing arrives; the United States want a registered origination "
     "number."},
    {"match", matches_email,
     "Whoever controls the mailbox controls the login. Take email out of the app client's WriteAttributes."},
    {"match", matches_what_clients_write,
     "Safe only if no app client of the pool may write this attribute. By default every client may."},
    {"signin_flow", sends_passwords, "The password itself goes to Cognito. With srp it never leaves this host."},
    {"use_first_pass", takes_passwords, "The password that PAM has already, a local one perhaps, is tried at Cognito."},
    {"exempt_group", exempts,
     "Members skip both steps: only for stacks with another factor. cognito-login denies them."},
};

void config_add_notes(const struct config *config)
{
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        if (notes[i].applies(config->options))
            config_add(config, LEVEL_NOTE, notes[i].key, NULL, NULL, notes[i].text);
}
