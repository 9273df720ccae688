#include "module/policy.h"

#include "common/text.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USER_MOST 128

/* The password with which sshd lets PAM run for a user who is unknown or barred, as often and as far as it takes to be
 * as long as what was typed: auth-pam.c of OpenSSH, fake_password(). */
static const char sshd_refusal[] = "\b\n\r\177INCORRECT";

static bool is_usable_name(const char *user)
{
    return text_is_word(user) && strlen(user) <= USER_MOST && *user != '-' && *user != '.' && strchr(user, '/') == NULL;
}

bool policy_is_refusal(const char *password)
{
    size_t length = strnlen(password, strlen(sshd_refusal));

    return length > 0 && memcmp(password, sshd_refusal, length) == 0;
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

/* Groups and users have records of any size: the buffer grows until one fits, up to this. */
#define RECORD_MOST (1024 * 1024)

/* Calls one of the look-ups with a buffer that is large enough. Its errno-like result; *buffer is the caller's to free.
 */
static int look_up(int (*look)(const char *name, void *record, char *buffer, size_t size, bool *found),
                   const char *name, void *record, char **buffer, bool *found)
{
    int failure = ERANGE;

    for (size_t size = 4096; failure == ERANGE && size <= RECORD_MOST; size *= 4) {
        char *larger = realloc(*buffer, size);

        if (larger == NULL)
            return ENOMEM;
        *buffer = larger;
        do
            failure = look(name, record, larger, size, found);
        while (failure == EINTR);
    }
    return failure;
}

static int look_user_up(const char *name, void *record, char *buffer, size_t size, bool *found)
{
    struct passwd *result = NULL;
    int failure = getpwnam_r(name, record, buffer, size, &result);

    *found = result != NULL;
    return failure;
}

static int look_group_up(const char *name, void *record, char *buffer, size_t size, bool *found)
{
    struct group *result = NULL;
    int failure = getgrnam_r(name, record, buffer, size, &result);

    *found = result != NULL;
    return failure;
}

/* Not every name service says 0 for a name that it does not know: see getpwnam_r(3). */
static bool is_absence(int failure)
{
    return failure == 0 || failure == ENOENT || failure == ESRCH;
}

/* All groups of the user, the primary one among them. NULL when memory is short. The caller frees. */
static gid_t *groups_of(const char *user, gid_t primary, int *count)
{
    gid_t *groups = NULL;
    int room = 32;

    for (;;) {
        gid_t *larger = reallocarray(groups, (size_t)room, sizeof *groups);

        if (larger == NULL) {
            free(groups);
            return NULL;
        }
        groups = larger;
        *count = room;
        if (getgrouplist(user, primary, groups, count) >= 0)
            return groups;
        room *= 2;
    }
}

static enum error find_member(struct login *login, const gid_t *groups, int count, bool *exempt)
{
    const struct strings *names = &login->options.exempt_group;
    char *buffer = NULL;
    enum error error = ERR_NONE;

    for (size_t i = 0; i < names->count && error == ERR_NONE; i++) {
        struct group group;
        bool found = false;
        int failure = look_up(look_group_up, names->items[i], &group, &buffer, &found);

        if (!found) {
            error = is_absence(failure) ? ERR_CONFIG : ERR_GROUP_LOOK_UP;
            snprintf(login->detail, sizeof login->detail, "exempt_group %s: %s", names->items[i],
                     is_absence(failure) ? "no such group" : strerrordesc_np(failure));
        }
        for (int j = 0; found && j < count; j++)
            *exempt |= groups[j] == group.gr_gid;
    }
    free(buffer);
    return error;
}

enum error policy_exempts(struct login *login, bool *exempt)
{
    struct passwd user;
    char *buffer = NULL;
    gid_t *groups = NULL;
    bool found = false;
    enum error error = ERR_NONE;
    int count = 0;
    int failure;

    *exempt = false;
    if (login->options.exempt_group.count == 0)
        return ERR_NONE;
    failure = look_up(look_user_up, login->user, &user, &buffer, &found);
    if (!found && !is_absence(failure)) {
        snprintf(login->detail, sizeof login->detail, "%s: %s", login->user, strerrordesc_np(failure));
        error = ERR_GROUP_LOOK_UP;
        goto out;
    }
    if (found) {
        groups = groups_of(login->user, user.pw_gid, &count);
        if (groups == NULL) {
            error = ERR_NO_MEMORY;
            goto out;
        }
    }
    error = find_member(login, groups, count, exempt);
out:
    if (error != ERR_NONE)
        *exempt = false;
    free(groups);
    free(buffer);
    return error;
}
