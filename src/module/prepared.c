#include "module/prepared.h"

#include <stdint.h>
#include <stdlib.h>

#define DATA_NAME "pam_cognito_prepare " PACKAGE_VERSION

struct prepared {
    struct helper *helper; /* NULL once it was taken */
};

static void cleanup(pam_handle_t *pamh, void *data, int status)
{
    struct prepared *prepared = data;

    (void)pamh;
    (void)status;
    helper_end(&prepared->helper);
    free(prepared);
}

void prepared_put(pam_handle_t *pamh, struct helper **helper)
{
    struct prepared *prepared = malloc(sizeof *prepared);

    if (prepared == NULL) {
        helper_end(helper);
        return;
    }
    *prepared = (struct prepared){*helper};
    *helper = NULL;
    if (pam_set_data(pamh, DATA_NAME, prepared, cleanup) != PAM_SUCCESS)
        cleanup(pamh, prepared, PAM_BUF_ERR);
}

struct helper *prepared_take(const pam_handle_t *pamh, const struct start_message *start)
{
    const void *data = NULL;
    struct prepared *prepared;
    struct helper *helper;

    if (pam_get_data(pamh, DATA_NAME, &data) != PAM_SUCCESS)
        return NULL;
    prepared = (struct prepared *)(uintptr_t)data;
    helper = prepared->helper;
    if (helper == NULL || !helper_serves(helper, start))
        return NULL;
    prepared->helper = NULL;
    return helper;
}
