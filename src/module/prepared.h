/*
 * A helper that was started ahead of the login that needs it, and waits in the PAM handle.
 */
#ifndef PAM_COGNITO_PREPARED_H
#define PAM_COGNITO_PREPARED_H

#include "module/client.h"

#include <security/pam_modules.h>

/* Leaves the helper in the handle, in the place of one that waits there already. *helper is NULL afterwards; it is
 * ended with the handle, or where memory is short. */
void prepared_put(pam_handle_t *pamh, struct helper **helper);

/* Takes the helper out of the handle, if there is one that serves (see client.h); else NULL.
 * The caller ends it with helper_end(). */
struct helper *prepared_take(const pam_handle_t *pamh, const struct start_message *start);

#endif
