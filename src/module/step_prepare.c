#include "module/log.h"
#include "module/prepared.h"
#include "module/setup.h"
#include "module/signin.h"
#include "module/steps.h"

#include <security/pam_ext.h>
#include <syslog.h>

/* Whatever fails here is no failure of the login: the code step does without, and says itself what is wrong. */
void step_prepare(pam_handle_t *pamh, int flags, int argc, const char *argv[])
{
    struct login login = login_unrecorded(pamh, flags);
    enum error error = setup_options(&login, argc, argv);

    if (error == ERR_NONE)
        error = setup_helper(&login);
    if (error == ERR_NONE) {
        login_warm(&login, signin_flow(&login));
        prepared_put(pamh, &login.helper);
    } else {
        pam_syslog(pamh, LOG_WARNING, "prepare: %s", login.detail);
    }
    options_free(&login.options);
}
