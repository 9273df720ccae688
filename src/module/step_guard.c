#include "common/options.h"
#include "module/ask.h"
#include "module/log.h"
#include "module/steps.h"
#include "module/verdict.h"

#include <stdio.h>

int step_guard(pam_handle_t *pamh, int flags, int argc, const char *argv[])
{
    const struct facts facts = login_facts_of(pamh);
    struct login login = login_unrecorded(pamh, flags);
    bool loaded = options_load(&login.options, DEFAULT_CONF, argc, argv, login.detail, sizeof login.detail);
    int verdict = loaded ? verdict_of_guard(&facts, login.options.require) : PAM_SERVICE_ERR;

    if (verdict != PAM_IGNORE) {
        enum error error = loaded ? ERR_UNCONFIRMED : ERR_CONFIG;

        log_outcome(&login, error, NULL);
        tell_error(&login, error);
    }
    options_free(&login.options);
    return verdict;
}
