#include "module/policy.h"

#include "common/text.h"

#include <string.h>

#define USER_MOST 128

/* The password with which sshd lets PAM run for a user who is unknown or barred: auth-pam.c of OpenSSH,
 * fake_password(). */
static const char sshd_refusal[] = "\b\n\r\177INCORRECT";

static bool is_usable_name(const char *user)
{
    return text_is_word(user) && strlen(user) <= USER_MOST && *user != '-' && *user != '.' && strchr(user, '/') == NULL;
}

bool policy_is_refusal(const char *password)
{
    return strncmp(password, sshd_refusal, strlen(sshd_refusal)) == 0;
}

enum error policy_check(struct login *login)
{
    const void *password = NULL;

    if (!is_usable_name(login->user))
        return ERR_BAD_USER_NAME;
    if (pam_get_item(login->pamh, PAM_AUTHTOK, &password) != PAM_SUCCESS || password == NULL)
        return ERR_NONE;
    if (policy_is_refusal(password))
        return ERR_FIRST_FACTOR;
    return secret_set(&login->local_password, password, strlen(password)) ? ERR_NONE : ERR_NO_MEMORY;
}
