#include "check/modules.h"

#include <string.h>

/* Everything else may be a real factor. */
static const struct {
    const char *name;
    enum module module;
} modules[] = {
    {"pam_cognito_code.so", MODULE_CODE},
    {"pam_cognito_confirm.so", MODULE_CONFIRM},
    {"pam_cognito_prepare.so", MODULE_PREPARE},
    {"pam_permit.so", MODULE_PERMIT},
    {"pam_deny.so", MODULE_DENY},
    {"pam_rootok.so", MODULE_ROOTOK},
    /* These look at the user's name, groups, terminal, host or the time, or only set something up. */
    {"pam_access.so", MODULE_SETTER},
    {"pam_cap.so", MODULE_SETTER},
    {"pam_console.so", MODULE_SETTER},
    {"pam_debug.so", MODULE_SETTER},
    {"pam_echo.so", MODULE_SETTER},
    {"pam_ecryptfs.so", MODULE_SETTER},
    {"pam_env.so", MODULE_SETTER},
    {"pam_faildelay.so", MODULE_SETTER},
    {"pam_faillock.so", MODULE_SETTER},
    {"pam_filter.so", MODULE_SETTER},
    {"pam_ftp.so", MODULE_SETTER},
    {"pam_gnome_keyring.so", MODULE_SETTER},
    {"pam_group.so", MODULE_SETTER},
    {"pam_issue.so", MODULE_SETTER},
    {"pam_keyinit.so", MODULE_SETTER},
    {"pam_kwallet.so", MODULE_SETTER},
    {"pam_kwallet5.so", MODULE_SETTER},
    {"pam_lastlog.so", MODULE_SETTER},
    {"pam_lastlog2.so", MODULE_SETTER},
    {"pam_limits.so", MODULE_SETTER},
    {"pam_listfile.so", MODULE_SETTER},
    {"pam_localuser.so", MODULE_SETTER},
    {"pam_loginuid.so", MODULE_SETTER},
    {"pam_mail.so", MODULE_SETTER},
    {"pam_mkhomedir.so", MODULE_SETTER},
    {"pam_motd.so", MODULE_SETTER},
    {"pam_mount.so", MODULE_SETTER},
    {"pam_namespace.so", MODULE_SETTER},
    {"pam_nologin.so", MODULE_NOLOGIN},
    {"pam_oddjob_mkhomedir.so", MODULE_SETTER},
    {"pam_rhosts.so", MODULE_SETTER},
    {"pam_securetty.so", MODULE_SETTER},
    {"pam_selinux.so", MODULE_SETTER},
    {"pam_selinux_permit.so", MODULE_SETTER},
    {"pam_sepermit.so", MODULE_SETTER},
    {"pam_shells.so", MODULE_SETTER},
    {"pam_slurm.so", MODULE_SETTER},
    {"pam_stress.so", MODULE_SETTER},
    {"pam_succeed_if.so", MODULE_SETTER},
    {"pam_systemd.so", MODULE_SETTER},
    {"pam_tally.so", MODULE_SETTER},
    {"pam_tally2.so", MODULE_SETTER},
    {"pam_time.so", MODULE_SETTER},
    {"pam_tty_audit.so", MODULE_SETTER},
    {"pam_umask.so", MODULE_SETTER},
    {"pam_usertype.so", MODULE_SETTER},
    {"pam_warn.so", MODULE_SETTER},
    {"pam_wheel.so", MODULE_SETTER},
    {"pam_xauth.so", MODULE_SETTER},
};

/* Programs that users start, and that are root by their setuid bit alone: to pam_rootok.so their caller is the user.
 * sudo is not one, for it becomes root before it asks PAM. */
static const char *const called_by_users[] = {"su",   "su-l", "runuser", "runuser-l",
                                              "chfn", "chsh", "passwd",  "polkit-1"};

#define BIT(result) (1ULL << (result))

/* PAM_INCOMPLETE is no result of a login: libpam hands it to the application. */
#define ALL (BIT(PAM_INCOMPLETE) - 1)

/* What lets nobody in, wherever it comes from. */
#define NEVER_GOOD (ALL & ~(BIT(PAM_SUCCESS) | BIT(PAM_NEW_AUTHTOK_REQD)))

/* How the steps of the code refuse: the error table's codes; and the guard. */
static const unsigned long long refusals[] = {
    [PHASE_AUTH] = 0
#define OUTCOME(id, pam, user) | BIT(pam)
#define ERROR(id, name, signin, elsewhere, log)
#define LOCAL(id, name, outcome, log)
#include "common/errors.def"
#undef OUTCOME
#undef ERROR
#undef LOCAL
    ,
    [PHASE_ACCOUNT] = BIT(PAM_PERM_DENIED) | BIT(PAM_SERVICE_ERR),
};

/* What is filled in. */
struct list {
    const struct line *line;
    struct outcome *outcomes;
    size_t count;
};

static bool has_argument(const struct line *line, const char *argument)
{
    for (int i = 0; i < line->argc; i++)
        if (strcmp(line->argv[i], argument) == 0)
            return true;
    return false;
}

enum module module_of(const struct line *line)
{
    enum module module = MODULE_OTHER;

    for (size_t i = 0; line->kind == LINE_MODULE && i < sizeof modules / sizeof *modules; i++)
        if (strcmp(modules[i].name, line->module) == 0)
            module = modules[i].module;
    return module == MODULE_NOLOGIN && has_argument(line, "successok") ? MODULE_SETTER : module;
}

bool module_rootok_counts(const char *service)
{
    for (size_t i = 0; i < sizeof called_by_users / sizeof *called_by_users; i++)
        if (strcmp(called_by_users[i], service) == 0)
            return true;
    return false;
}

static void add(struct list *list, int result, struct login login)
{
    list->outcomes[list->count++] = (struct outcome){result, login};
}

/* libpam looks at these three more closely than at the others, which differ in their actions alone. */
static bool is_special(int result)
{
    return result == PAM_SUCCESS || result == PAM_NEW_AUTHTOK_REQD || result == PAM_IGNORE;
}

/* Adds each result of the set, or one that stands for it: the success first, then the denials as they are usual. */
static void add_set(struct list *list, unsigned long long set, struct login login)
{
    const int *actions = list->line->actions;
    unsigned long long taken = 0;

    if ((set & BIT(PAM_SUCCESS)) != 0)
        add(list, PAM_SUCCESS, login);
    for (int i = 0; i < PAM_INCOMPLETE; i++) {
        int result = (PAM_AUTH_ERR + i) % PAM_INCOMPLETE;
        bool stands = result != PAM_SUCCESS && (set & BIT(result)) != 0;

        for (int other = 0; stands && !is_special(result) && other < PAM_INCOMPLETE; other++)
            stands = (taken & BIT(other)) == 0 || is_special(other) || actions[other] != actions[result];
        if (!stands)
            continue;
        taken |= BIT(result);
        add(list, result, login);
    }
}

static struct login with(struct login login, enum record record, int facts, int without)
{
    return (struct login){(uint8_t)record, (uint8_t)((login.facts & ~without) | facts)};
}

#define OF_THE_RECORD (FACT_SIGNED_IN | FACT_USED)

static void code_outcomes(struct list *list, const struct policy *policy, bool good, struct login login)
{
    if (login.facts & FACT_NO_CODE) {
        add(list, PAM_MODULE_UNKNOWN, login);
        return;
    }
    if (policy->signs_in)
        add(list, PAM_CRED_INSUFFICIENT, with(login, RECORD_PENDING, FACT_SIGNED_IN | FACT_FACTOR, OF_THE_RECORD));
    if (policy->brought)
        add(list, PAM_CRED_INSUFFICIENT, with(login, RECORD_PENDING, FACT_FACTOR, OF_THE_RECORD));
    if (policy->found)
        add(list, PAM_CRED_INSUFFICIENT, with(login, RECORD_PENDING, 0, OF_THE_RECORD));
    if (policy->exempt)
        add(list, PAM_IGNORE, with(login, RECORD_EXEMPT, 0, OF_THE_RECORD));
    if (policy->not_needed && policy->signs_in)
        add(list, PAM_IGNORE, with(login, RECORD_NOT_NEEDED, FACT_SIGNED_IN | FACT_FACTOR, OF_THE_RECORD));
    if (policy->not_needed && (policy->brought || policy->found))
        add(list, PAM_IGNORE, with(login, RECORD_NOT_NEEDED, 0, OF_THE_RECORD));
    if (!good)
        add_set(list, refusals[PHASE_AUTH], with(login, RECORD_ATTEMPTED, 0, OF_THE_RECORD));
}

/* After a refusal; where there was no record that it could confirm, there is one of an attempt. */
static struct login refused(struct login login)
{
    return with(login, RECORD_ATTEMPTED, FACT_USED, 0);
}

static void confirm_outcomes(struct list *list, bool good, struct login login)
{
    bool fresh = (login.facts & FACT_USED) == 0;
    bool passes = true;

    if (login.facts & FACT_NO_CONFIRM) {
        add(list, PAM_MODULE_UNKNOWN, login);
        return;
    }
    if (fresh && login.record == RECORD_PENDING)
        add(list, PAM_SUCCESS, with(login, RECORD_CONFIRMED, FACT_USED | FACT_PROVED, 0));
    else if (fresh && login.record == RECORD_NOT_NEEDED && (login.facts & FACT_SIGNED_IN) != 0)
        add(list, PAM_SUCCESS, with(login, RECORD_NOT_NEEDED, FACT_USED, 0));
    else if (fresh && (login.record == RECORD_EXEMPT || login.record == RECORD_NOT_NEEDED))
        add(list, PAM_IGNORE, with(login, login.record, FACT_USED, 0));
    else
        passes = false;
    /* Another PAM_USER than the record's is refused in every state. */
    if (!good || !passes)
        add_set(list, refusals[PHASE_AUTH], refused(login));
}

static void guard_outcomes(struct list *list, const struct policy *policy, bool good, struct login login)
{
    bool passes = login.record != RECORD_ATTEMPTED && login.record != RECORD_PENDING &&
                  (login.record != RECORD_NONE || !policy->require);

    if (login.facts & FACT_NO_CODE) {
        add(list, PAM_MODULE_UNKNOWN, login);
        return;
    }
    if (passes)
        add(list, PAM_IGNORE, login);
    if (!good || !passes)
        add_set(list, refusals[PHASE_ACCOUNT], login);
}

static void auth_outcomes(struct list *list, enum module module, const struct policy *policy, bool good,
                          struct login login)
{
    const int gained[] = {
        [MODULE_OTHER] = FACT_FACTOR, [MODULE_SETTER] = 0, [MODULE_ROOTOK] = policy->rootok ? FACT_ROOT : 0};

    switch (module) {
    case MODULE_CODE:
        code_outcomes(list, policy, good, login);
        break;
    case MODULE_CONFIRM:
        confirm_outcomes(list, good, login);
        break;
    case MODULE_PERMIT:
        add_set(list, BIT(PAM_SUCCESS) | BIT(PAM_MODULE_UNKNOWN), login);
        break;
    case MODULE_DENY:
        add_set(list, BIT(PAM_AUTH_ERR) | BIT(PAM_MODULE_UNKNOWN), login);
        break;
    case MODULE_PREPARE:
        add_set(list, BIT(PAM_IGNORE) | BIT(PAM_MODULE_UNKNOWN), login);
        break;
    case MODULE_NOLOGIN:
        add_set(list, NEVER_GOOD, login);
        break;
    case MODULE_OTHER:
    case MODULE_SETTER:
    case MODULE_ROOTOK:
        add(list, PAM_SUCCESS, with(login, login.record, gained[module], 0));
        add_set(list, ALL & ~BIT(PAM_SUCCESS), login);
        break;
    }
}

static void account_outcomes(struct list *list, enum module module, const struct policy *policy, bool good,
                             struct login login)
{
    static const unsigned long long said[] = {
        [MODULE_OTHER] = ALL,
        [MODULE_SETTER] = ALL,
        [MODULE_NOLOGIN] = NEVER_GOOD,
        [MODULE_ROOTOK] = ALL,
        [MODULE_PERMIT] = BIT(PAM_SUCCESS) | BIT(PAM_MODULE_UNKNOWN),
        [MODULE_DENY] = BIT(PAM_AUTH_ERR) | BIT(PAM_MODULE_UNKNOWN),
        [MODULE_CONFIRM] = BIT(PAM_MODULE_UNKNOWN), /* it has no account part */
        [MODULE_PREPARE] = BIT(PAM_MODULE_UNKNOWN),
    };

    if (module == MODULE_CODE)
        guard_outcomes(list, policy, good, login);
    else
        add_set(list, said[module], login);
}

size_t module_outcomes(const struct line *line, enum phase phase, const struct policy *policy, bool good,
                       struct login login, struct outcome outcomes[OUTCOMES_MOST])
{
    struct list list = {line, outcomes, 0};
    enum module module = module_of(line);

    if (line->kind != LINE_MODULE)
        add(&list, PAM_PERM_DENIED, login);
    else if (phase == PHASE_AUTH)
        auth_outcomes(&list, module, policy, good, login);
    else
        account_outcomes(&list, module, policy, good, login);
    return list.count;
}

int module_weak_refusal(const struct line *line, enum phase phase)
{
    unsigned long long set = refusals[phase] | BIT(PAM_MODULE_UNKNOWN);

    /* The usual one first. */
    for (int i = 0; i < PAM_INCOMPLETE; i++) {
        int result = ((phase == PHASE_AUTH ? PAM_AUTH_ERR : PAM_PERM_DENIED) + i) % PAM_INCOMPLETE;
        int action = line->actions[result];

        if ((set & BIT(result)) != 0 && action != ACTION_BAD && action != ACTION_DIE)
            return result;
    }
    return PAM_SUCCESS;
}

size_t module_cred_outcomes(const struct line *line, struct outcome outcomes[OUTCOMES_MOST])
{
    static const unsigned long long said[] = {
        [MODULE_OTHER] = ALL,
        [MODULE_SETTER] = ALL,
        [MODULE_NOLOGIN] = NEVER_GOOD,
        [MODULE_ROOTOK] = ALL,
        [MODULE_PERMIT] = BIT(PAM_SUCCESS),
        [MODULE_DENY] = BIT(PAM_CRED_ERR),
        [MODULE_CODE] = BIT(PAM_SUCCESS),
        [MODULE_CONFIRM] = BIT(PAM_SUCCESS),
        [MODULE_PREPARE] = BIT(PAM_IGNORE),
    };
    const struct login nobody = {0, 0};
    struct list list = {line, outcomes, 0};

    add_set(&list, line->kind == LINE_MODULE ? said[module_of(line)] : BIT(PAM_PERM_DENIED), nobody);
    return list.count;
}
