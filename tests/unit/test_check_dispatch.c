/* How the checker reads /etc/pam.d and adds results up, beside the libpam of this machine: thousands of stacks of
 * pam_debug.so, which says what its arguments tell it to. */
#include "unit.h"

#include "check/dispatch.h"
#include "check/pamd.h"
#include "common/sanitizer.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if UNDER_SANITIZER
/* libpam leaves memory behind where it gives up on a service. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libpam.so";
}
#endif

#define STACKS 3000
#define FILES  4

static const char *const files[FILES] = {"service", "first", "second", "other"};

static char folder[] = "/tmp/stacks-XXXXXX";

/* This libpam is Debian's: it knows @include, and a jump means nothing to its pam_setcred(). */
static bool is_debian;
static uint64_t seed = 20240607;

/* Numbers that are the same on each machine. */
static unsigned int below(unsigned int most)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned int)(seed >> 33) % most;
}

static bool once_in(unsigned int count)
{
    return below(count) == 0;
}

#define ONE_OF(...)                                                                                                    \
    ((const char *const[]){__VA_ARGS__}[below(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))])

/* Mostly those that decide something. PAM_INCOMPLETE is for applications that know it. */
static const char *any_result(void)
{
    static const int usual[] = {PAM_SUCCESS, PAM_SUCCESS,  PAM_SUCCESS,          PAM_IGNORE,
                                PAM_IGNORE,  PAM_AUTH_ERR, PAM_NEW_AUTHTOK_REQD, PAM_CRED_INSUFFICIENT};

    return result_name(once_in(4) ? (int)below(PAM_INCOMPLETE) : usual[below(COUNT(usual))]);
}

static void write_bracket(FILE *file)
{
    fputc('[', file);
    for (unsigned int i = below(5); i > 0; i--) {
        const char *result = once_in(3) ? "default" : any_result();

        fprintf(file, "%s%s", ONE_OF("", " ", "  "), once_in(50) ? "nonsense" : result);
        fputs(ONE_OF("=", "=", "=", " = ", "= ", once_in(30) ? "" : "="), file);
        if (once_in(3))
            fprintf(file, "%u", once_in(40) ? 0 : 1 + below(3));
        else
            fputs(ONE_OF("ignore", "ok", "done", "bad", "die", "reset", once_in(30) ? "okay" : "ok"), file);
        fputc(' ', file);
    }
    fputc(']', file);
}

static void write_gap(FILE *file)
{
    fputs(ONE_OF(" ", "\t", "  ", " \t ", once_in(10) ? " \\\n" : " "), file);
}

static void write_module(FILE *file)
{
    if (once_in(2))
        fputs(ONE_OF("required", "requisite", "sufficient", "optional", "Required", "SUFFICIENT"), file);
    else
        write_bracket(file);
    write_gap(file);
    if (once_in(60))
        return;
    fputs(once_in(20) ? "pam_is_not_there.so" : "pam_debug.so", file);
    for (unsigned int i = 0; i < 3; i++) {
        static const char *const calls[] = {"auth", "cred", "acct"};

        write_gap(file);
        if (!once_in(5))
            fprintf(file, once_in(5) ? "[%s=%s]" : "%s=%s", calls[i], any_result());
    }
}

/* A line of the file at `index`, which takes in only those after it; one that takes in itself is without an end. By
 * their paths: Debian's libpam looks for the others in /etc/pam.d alone. What it makes of an @include without a file in
 * a file that was taken in is undefined. */
static void write_line(FILE *file, unsigned int index)
{
    unsigned int taken = index + 2 < FILES ? index + 1 + below(FILES - 2 - index) : 0;

    if (taken > 0 && is_debian && once_in(8)) {
        fprintf(file, "%s %s/%s\n", ONE_OF("@include", "@Include", "-@include"), folder,
                index == 0 && once_in(30) ? "is-not-there" : files[taken]);
        return;
    }
    fputs(ONE_OF("", "", "", "-", once_in(40) ? "not" : ""), file);
    fputs(ONE_OF("auth", "auth", "Auth", "account", "account", "ACCOUNT", "session"), file);
    write_gap(file);
    if (taken > 0 && once_in(3))
        fprintf(file, "%s %s/%s", ONE_OF("include", "substack", "substack", "Include", "SUBSTACK"), folder,
                once_in(30) ? "is-not-there" : files[taken]);
    else
        write_module(file);
    fputs(ONE_OF("", "", "", " ", " # as it is", once_in(20) ? " # and so on \\" : "",
                 once_in(20) ? " \\ # and so on" : ""),
          file);
    fputc('\n', file);
}

static FILE *open_file(unsigned int index)
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, files[index]);
    file = fopen(path, "we");
    assert_non_null(file);
    return file;
}

static void write_files(void)
{
    for (unsigned int i = 0; i < FILES; i++) {
        FILE *file = open_file(i);

        for (unsigned int j = once_in(8) ? 0 : 1 + below(6); j > 0; j--) {
            if (once_in(10))
                fputs(ONE_OF("\n", "# nothing\n", " \t\n", "# nothing \\\n"), file);
            write_line(file, i);
        }
        fclose(file);
    }
}

static int say_nothing(int count, const struct pam_message **messages, struct pam_response **answers, void *data)
{
    (void)messages;
    (void)data;
    *answers = calloc((size_t)count, sizeof **answers);
    return *answers == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
}

/* The result of each call that matters: PAM_ABORT in all of them, where the service does not start. */
struct verdicts {
    int authenticate, account, cached, fresh;
};

static struct verdicts ask_libpam(void)
{
    const struct pam_conv conversation = {say_nothing, NULL};
    struct verdicts verdicts = {PAM_ABORT, PAM_ABORT, PAM_ABORT, PAM_ABORT};
    pam_handle_t *handle = NULL;

    if (pam_start_confdir("service", "nobody", &conversation, folder, &handle) != PAM_SUCCESS)
        return verdicts;
    verdicts.authenticate = pam_authenticate(handle, 0);
    verdicts.account = pam_acct_mgmt(handle, 0);
    verdicts.cached = pam_setcred(handle, PAM_ESTABLISH_CRED);
    pam_end(handle, PAM_SUCCESS);
    assert_int_equal(pam_start_confdir("service", "nobody", &conversation, folder, &handle), PAM_SUCCESS);
    verdicts.fresh = pam_setcred(handle, PAM_ESTABLISH_CRED);
    pam_end(handle, PAM_SUCCESS);
    return verdicts;
}

/* What pam_debug.so says when it is called. */
static int result_of(const struct line *line, const char *call)
{
    size_t length = strlen(call);

    if (line->kind == LINE_MUST_FAIL)
        return PAM_PERM_DENIED;
    if (strcmp(line->module, "pam_debug.so") != 0)
        return PAM_MODULE_UNKNOWN;
    for (int i = 0; i < line->argc; i++)
        if (strncmp(line->argv[i], call, length) == 0 && line->argv[i][length] == '=')
            for (int result = 0; result < _PAM_RETURN_VALUES; result++)
                if (strcmp(line->argv[i] + length + 1, result_name(result)) == 0)
                    return result;
    return PAM_SUCCESS;
}

/* `said`: what each line said, to be filled or followed. */
static int walk_through(const struct stack *stack, const char *call, enum chain chain, int said[])
{
    struct walk walk;

    walk_begin(&walk, stack);
    while (!walk_is_over(&walk, stack)) {
        uint16_t at = walk.at;
        int result = result_of(&stack->lines[at], call);

        if (chain == CHAIN_FRESH)
            said[at] = result;
        walk_step(&walk, stack, chain, result, said[at]);
    }
    return walk_verdict(&walk);
}

static void forget(int said[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        said[i] = NOT_CACHED;
}

/* Where versions of libpam differ, the checker says so, and there is nothing to compare. */
static bool is_ambiguous(const struct service *service)
{
    for (size_t i = 0; i < service->trouble_count; i++)
        if (strstr(service->troubles[i].what, "some versions") != NULL)
            return true;
    return false;
}

/* False where it does not say. */
static bool ask_checker(struct verdicts *verdicts)
{
    const struct places places = {folder, true};
    const struct stack *auth;
    struct service service;
    char why[256];
    bool says;
    enum chain chain = is_debian ? CHAIN_CACHED_DEBIAN : CHAIN_CACHED;
    int said[1000];

    *verdicts = (struct verdicts){PAM_ABORT, PAM_ABORT, PAM_ABORT, PAM_ABORT};
    assert_true(service_read(&service, "service", NULL, &places, why, sizeof why));
    auth = &service.stacks[PHASE_AUTH];
    says = !is_ambiguous(&service);
    for (size_t i = 0; i < service.trouble_count; i++)
        if (service.troubles[i].fatal)
            goto out;
    assert_true(auth->count < COUNT(said) && service.stacks[PHASE_ACCOUNT].count < COUNT(said));
    forget(said, COUNT(said));
    verdicts->account = walk_through(&service.stacks[PHASE_ACCOUNT], "acct", CHAIN_FRESH, said);
    forget(said, COUNT(said));
    verdicts->fresh = walk_through(auth, "cred", chain, said);
    verdicts->authenticate = walk_through(auth, "auth", CHAIN_FRESH, said);
    verdicts->cached = walk_through(auth, "cred", chain, said);
out:
    service_free(&service);
    return says;
}

static void print_files(void)
{
    for (unsigned int i = 0; i < FILES; i++) {
        char path[64];
        char text[8192];
        FILE *file;

        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        file = fopen(path, "re");
        assert_non_null(file);
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
        print_error("== %s\n%s", files[i], text);
    }
}

static bool are_equal(const struct verdicts *one, const struct verdicts *other)
{
    return one->authenticate == other->authenticate && one->account == other->account && one->cached == other->cached &&
           one->fresh == other->fresh;
}

/* Not every distribution has the module. */
static bool has_pam_debug(void)
{
    for (unsigned int i = 0; i < FILES; i++) {
        FILE *file = open_file(i);

        fputs("auth required pam_debug.so\n", file);
        fclose(file);
    }
    return ask_libpam().authenticate == PAM_SUCCESS;
}

/* The others take @include for a line that they cannot read. */
static bool look_for_debian(void)
{
    for (unsigned int i = 0; i < FILES; i++) {
        FILE *file = open_file(i);

        if (i == 0)
            fprintf(file, "@include %s/first\n", folder);
        else
            fputs("auth required pam_debug.so\n", file);
        fclose(file);
    }
    return ask_libpam().authenticate == PAM_SUCCESS;
}

static void stacks_mean_what_libpam_makes_of_them(void **state)
{
    unsigned int compared = 0;
    unsigned int let_in = 0;

    (void)state;
    if (!has_pam_debug())
        skip();
    is_debian = look_for_debian();
    for (unsigned int i = 0; i < STACKS; i++) {
        struct verdicts libpam, checker;

        write_files();
        libpam = ask_libpam();
        if (!ask_checker(&checker))
            continue;
        compared++;
        let_in += libpam.authenticate == PAM_SUCCESS;
        if (are_equal(&libpam, &checker))
            continue;
        print_files();
        fail_msg("stack %u: libpam says %d %d %d %d, the checker %d %d %d %d", i, libpam.authenticate, libpam.account,
                 libpam.cached, libpam.fresh, checker.authenticate, checker.account, checker.cached, checker.fresh);
    }
    print_message("%u stacks compared, of which %u authenticate\n", compared, let_in);
    /* A comparison of few, or of denials alone, would prove little. */
    assert_in_range(compared, STACKS * 9 / 10, STACKS);
    assert_in_range(let_in, STACKS / 10, STACKS);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < FILES; i++) {
        char path[64];

        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_mean_what_libpam_makes_of_them),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
