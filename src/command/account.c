#include "command/account.h"

#include "common/self.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the kernel takes (limits.h of Linux, NGROUPS_MAX). */
#define GROUPS_MOST 65536

static int compare_groups(const void *a, const void *b)
{
    gid_t left = *(const gid_t *)a;
    gid_t right = *(const gid_t *)b;

    return (left > right) - (left < right);
}

/* What initgroups(3) would set, kept here to be compared with what the kernel has afterwards. */
static bool find_groups(struct account *account, const char *name)
{
    int room = 64;
    int count;

    do {
        gid_t *groups = reallocarray(account->groups, (size_t)room, sizeof *groups);

        if (groups == NULL)
            return false;
        account->groups = groups;
        count = room;
        if (getgrouplist(name, account->gid, groups, &count) >= 0) {
            account->group_count = (size_t)count;
            qsort(groups, account->group_count, sizeof *groups, compare_groups);
            return true;
        }
        room *= 2;
    } while (room <= GROUPS_MOST);
    return false;
}

/* The whole environment of the command. No LANG: what it prints must not depend on a language. */
static bool write_environment(struct account *account, const struct passwd *user)
{
    const struct {
        const char *name, *value, *otherwise;
    } variables[ACCOUNT_VARIABLES] = {
        {"PATH", "/usr/bin:/bin", NULL},  {"HOME", user->pw_dir, "/"},          {"USER", user->pw_name, NULL},
        {"LOGNAME", user->pw_name, NULL}, {"SHELL", user->pw_shell, "/bin/sh"},
    };

    for (size_t i = 0; i < ACCOUNT_VARIABLES; i++) {
        const char *value = *variables[i].value != '\0' ? variables[i].value : variables[i].otherwise;

        if (asprintf(&account->environment[i], "%s=%s", variables[i].name, value) < 0) {
            account->environment[i] = NULL;
            return false;
        }
    }
    return true;
}

static bool judge_user(const struct passwd *user, const char *name, struct outcome *outcome)
{
    if (user == NULL)
        return outcome_fail(outcome, ERR_COMMAND_SETUP, "token_command_user %s: %s", name,
                            errno == 0 || errno == ENOENT ? "no such user" : strerrordesc_np(errno));
    if (user->pw_uid == 0 || user->pw_gid == 0)
        return outcome_fail(outcome, ERR_COMMAND_SETUP, "token_command_user %s: must not be root, nor in root's group",
                            name);
    if (geteuid() != 0 && user->pw_uid != geteuid())
        return outcome_fail(outcome, ERR_COMMAND_SETUP,
                            "token_command_user %s: without root's rights it can only be the caller's own user", name);
    return true;
}

bool account_find(struct account *account, const char *name, struct outcome *outcome)
{
    bool is_root = geteuid() == 0;
    const struct passwd *user;

    errno = 0;
    user = getpwnam(name);
    if (!judge_user(user, name, outcome))
        return false;
    account->uid = user->pw_uid;
    account->gid = is_root ? user->pw_gid : getegid();
    /* Before the groups, whose look-up may change what `user` points to. */
    if (!write_environment(account, user))
        return outcome_fail(outcome, ERR_NO_MEMORY, "out of memory");
    if (is_root && !find_groups(account, name))
        return outcome_fail(outcome, ERR_COMMAND_SETUP, "token_command_user %s: the groups cannot be looked up", name);
    return true;
}

void account_free(struct account *account)
{
    for (size_t i = 0; i < ACCOUNT_VARIABLES; i++)
        free(account->environment[i]);
    free(account->groups);
    *account = (struct account){.groups = NULL};
}

/* What the kernel says that the groups are. */
static bool has_the_groups(const struct account *account)
{
    gid_t *groups = calloc(account->group_count + 1, sizeof *groups);
    int count = groups == NULL ? -1 : getgroups((int)account->group_count + 1, groups);
    bool same = count >= 0 && (size_t)count == account->group_count;

    if (same) {
        qsort(groups, account->group_count, sizeof *groups, compare_groups);
        same = memcmp(groups, account->groups, account->group_count * sizeof *groups) == 0;
    }
    free(groups);
    return same;
}

const char *account_become(const struct account *account)
{
    if (account->groups != NULL) {
        if (setgroups(account->group_count, account->groups) != 0)
            return "setgroups";
        errno = EPERM;
        if (!has_the_groups(account))
            return "setgroups, which had no effect";
    }
    return self_set_ids(account->uid, account->gid);
}
