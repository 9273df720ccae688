#include "common/options.h"
#include "module/log.h"
#include "module/steps.h"
#include "module/verdict.h"

int step_guard(pam_handle_t *pamh, int argc, const char *argv[])
{
    const struct facts facts = login_facts_of(pamh);
    struct options options;
    char why[OPTIONS_WHY];
    bool loaded = options_load(&options, DEFAULT_CONF, argc, argv, why, sizeof why);
    int verdict = loaded ? verdict_of_guard(&facts, options.require) : PAM_SERVICE_ERR;

    if (!loaded)
        log_config(pamh, why);
    else if (verdict == PAM_PERM_DENIED)
        log_config(pamh, "account: no confirmed code");
    options_free(&options);
    return verdict;
}
