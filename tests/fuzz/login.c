/*
 * Whole logins: the modules' own code from the PAM calls to the requests of the helper, and a script of everything that
 * is not theirs. Lines, each kind in its order:
 *
 *   c text     of the config file          a word     an argument of the module
 *   !c !f !g   the code step, the companion, the guard          !n   a new handle
 *   !u name    PAM_USER is another one      !p text    PAM_AUTHTOK     !e NAME=text   a PAM variable     !h host
 * PAM_RHOST > text     what the person types       -          no answer       ^   the conversation fails       + n    n
 * seconds pass < result   of the helper: an error's name, medium, destination, challenge, choices, with | in between f
 * n text   a file: 0 it is there, 1 it is absent, 2 it is unsafe      k name text   the token command b name counting a
 * code             r 1        a code is remembered x n        the nth call of libpam fails            w, g, l    the
 * look-up of the user, a group, and his groups
 *
 * (The blank after the first byte is not there.) Whatever is typed or is a token ends with a canary.
 */
#include "fuzz.h"
#include "script.h"

#include "fakes/clock.h"
#include "fakes/file.h"
#include "fakes/memory.h"
#include "fakes/pam.h"

#include "module/budget.h"
#include "module/client.h"
#include "module/command.h"
#include "module/pool_keys.h"
#include "module/prepared.h"
#include "module/remember.h"
#include "module/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CANARY       "Canary"
#define PROMPTS_MOST 120
#define CALLS_MOST   20

extern char **environ;

static struct script script;
static struct pam_handle handle;
static long pam_calls, pam_fault;
static bool memory_fault;

/* What happened in the call that is under way. */
static struct {
    bool remembered, signed_in, sent, accepted;
    unsigned int prompts;
    char typed[4096]; /* the last answer, as it would be sent */
} seen;

/* What is left of the calls before, in this handle. */
static struct {
    bool recorded;
    int said;
    char user[256];
    char typed[4096];
    bool signed_in, used, confirmed;
} past;

/* The number of an error by its name. */
static enum error error_of(const char *name, size_t length)
{
    for (int error = 0; error < ERR_COUNT; error++)
        if (strlen(error_name((enum error)error)) == length && memcmp(error_name((enum error)error), name, length) == 0)
            return (enum error)error;
    return ERR_UNKNOWN_ERROR;
}

static enum error next_error(const char *kinds)
{
    const char *line = script_next(&script, kinds, NULL);

    return line == NULL ? ERR_NONE : error_of(line, strlen(line));
}

/* The person and the log. */

static bool fails(void)
{
    return ++pam_calls == pam_fault;
}

static void log_line(const char *line)
{
    HOLDS(fuzz_is_printable(line) && strstr(line, CANARY) == NULL);
}

/* What is sent of an answer: without the white space at its ends. */
static void keep_typed(const char *answer)
{
    size_t length;

    answer += strspn(answer, " \t\n\v\f\r");
    length = strlen(answer);
    while (length > 0 && strchr(" \t\n\v\f\r", answer[length - 1]) != NULL)
        length--;
    snprintf(seen.typed, sizeof seen.typed, "%.*s", (int)length, answer);
}

static void check_prompt(const char *text)
{
    HOLDS(strlen(text) < PAM_MAX_MSG_SIZE && strstr(text, CANARY) == NULL);
    for (; *text != '\0'; text++)
        HOLDS(*text == '\n' || (*text >= ' ' && *text <= '~'));
}

static int converse(int style, const char *text, char **answer)
{
    const char *line;
    char kind;

    check_prompt(text);
    if (style == PAM_ERROR_MSG || style == PAM_TEXT_INFO)
        return PAM_SUCCESS;
    HOLDS(++seen.prompts <= PROMPTS_MOST);
    *seen.typed = '\0';
    while ((line = script_next(&script, ">-^+", &kind)) != NULL && kind == '+')
        fake_now += 1000 * (strtol(line, NULL, 10) & 0xffff);
    if (line == NULL || kind == '^')
        return PAM_CONV_ERR;
    if (kind == '-')
        return PAM_SUCCESS;
    /* Numbers are typed as they are. */
    if (asprintf(answer, "%s%s", line, strlen(line) > 3 ? CANARY : "") < 0)
        return PAM_BUF_ERR;
    keep_typed(*answer);
    return PAM_SUCCESS;
}

/* The administrator, his files and accounts. */

static char config[16384];

static enum safe_result read_file(const char *path, size_t most, struct secret *content)
{
    char *line, *text;
    size_t length;

    if (strcmp(path, DEFAULT_CONF) == 0)
        return secret_set(content, config, strlen(config)) ? SAFE_OK : SAFE_REFUSED;
    line = script_next(&script, "f", NULL);
    if (line == NULL || *line == '1')
        return SAFE_ABSENT;
    if (*line != '0')
        return SAFE_REFUSED;
    if (content == NULL)
        return SAFE_OK;
    if (asprintf(&text, "%s%s", line + 1, line[1] == '\0' ? "" : CANARY) < 0)
        abort();
    length = script_unescape(text);
    if (length > most || !secret_set(content, text, length))
        length = most + 1;
    free(text);
    return length > most ? SAFE_REFUSED : SAFE_OK;
}

static int look_up(const char *kind, void **result, void *record)
{
    const char *line = script_next(&script, kind, NULL);
    int failure = line == NULL ? 0 : (int)strtol(line, NULL, 10);

    *result = line != NULL && failure == 0 ? record : NULL;
    return failure;
}

int getpwnam_r(const char *name, struct passwd *record, char *buffer, size_t size, struct passwd **result)
{
    (void)name;
    (void)buffer;
    (void)size;
    record->pw_gid = 1;
    return look_up("w", (void **)result, record);
}

int getgrnam_r(const char *name, struct group *record, char *buffer, size_t size, struct group **result)
{
    (void)buffer;
    (void)size;
    record->gr_gid = (gid_t)strlen(name) % 8;
    return look_up("g", (void **)result, record);
}

int getgrouplist(const char *user, gid_t group, gid_t *groups, int *count)
{
    const char *line = script_next(&script, "l", NULL);
    int found = line == NULL ? 1 : (int)(strtol(line, NULL, 10) & 0xff);
    int room = *count;

    (void)user;
    *count = found;
    if (found > room)
        return -1;
    for (int i = 0; i < found; i++)
        groups[i] = i == 0 ? group : (gid_t)i;
    return found;
}

/* State on this host. */

enum error budget_take(struct login *login, const char *username)
{
    (void)login;
    HOLDS(*username != '\0');
    return next_error("b");
}

bool remember_has(const struct login *login, const char *username)
{
    const char *line = script_next(&script, "r", NULL);

    (void)login;
    (void)username;
    seen.remembered |= line != NULL && *line == '1';
    return line != NULL && *line == '1';
}

void remember_keep(struct login *login, const char *username)
{
    (void)login;
    (void)username;
    HOLDS(seen.accepted);
}

struct helper *prepared_take(const pam_handle_t *pamh, const struct start_message *start)
{
    HOLDS(pamh != NULL && start->keys != NULL);
    return NULL;
}

void pool_keys_find(const struct options *options, char (*text)[KEYS_MOST + 1])
{
    HOLDS(*options->jwks_url != '\0');
    (*text)[0] = '\0';
}

void pool_keys_keep(const struct login *login, const char *text)
{
    (void)login;
    HOLDS(seen.sent && text != NULL);
}

/* The helper. */

struct helper {
    char *line; /* what the strings of the last result lie in */
};

static unsigned int helpers;

enum error helper_start(struct helper **helper, const struct start_message *start, char *why, size_t size)
{
    HOLDS(strncmp(start->endpoint, "https://", 8) == 0 && start->lifetime > 0 && *start->client_id != '\0');
    snprintf(why, size, "it is not there");
    *helper = calloc(1, sizeof **helper);
    helpers += *helper != NULL;
    return *helper == NULL ? ERR_NO_MEMORY : ERR_NONE;
}

void helper_post(struct helper *helper, enum message_type type, const void *message, deadline_t deadline)
{
    (void)message;
    (void)deadline;
    HOLDS(helper != NULL && type == MSG_WARM);
}

const char *helper_lockdown(const struct helper *helper)
{
    return helper == NULL ? "" : "all";
}

void helper_end(struct helper **helper)
{
    if (*helper == NULL)
        return;
    helpers--;
    free((*helper)->line);
    free(*helper);
    *helper = NULL;
}

/* A line of the script as a result. */
static enum error read_result(struct helper *helper, struct result_message *result)
{
    const char **const fields[] = {&result->medium, &result->destination, &result->challenge, &result->request_id,
                                   &result->detail};
    char *line = script_next(&script, "<", NULL);
    enum error error;
    size_t i = 0;

    free(helper->line);
    helper->line = line == NULL ? NULL : strdup(line);
    if (helper->line == NULL)
        return ERR_DEADLINE;
    error = error_of(helper->line, strcspn(helper->line, "|"));
    for (char *at = strchr(helper->line, '|'); at != NULL; i++) {
        char *field = at + 1;

        *at = '\0';
        at = strchr(field, '|');
        if (i < sizeof fields / sizeof *fields)
            *fields[i] = field;
        else if (result->choices.count < LIST_MAX)
            result->choices.items[result->choices.count++] = field;
    }
    return error;
}

/* What the user typed for it, and nothing else, goes to Cognito, in a login that has a code on its way. */
static void check_verify(const struct verify_message *verify)
{
    const char *typed = seen.prompts > 0 ? seen.typed : past.typed;

    HOLDS(past.said == PAM_CRED_INSUFFICIENT && !past.used && handle.user != NULL);
    HOLDS(strcmp(past.user, handle.user) == 0);
    HOLDS(verify->code != NULL && *verify->code != '\0' && strcmp(verify->code, typed) == 0);
    HOLDS(strlen(verify->code) <= 2048 && strpbrk(verify->code, " \t\r\n\v\f\x7f") == NULL);
    HOLDS(handle.authtok == NULL || strcmp(verify->code, handle.authtok) != 0);
    HOLDS(strcmp(verify->attribute, "email") == 0 || strcmp(verify->attribute, "phone_number") == 0);
}

/* Only what is a secret in the script, or was typed as short as a number. */
static void check_token(const struct token_message *token)
{
    HOLDS(strlen(token->token) <= 3 || strstr(token->token, CANARY) != NULL);
}

enum error helper_call(struct helper *helper, enum message_type type, const void *message, deadline_t deadline,
                       struct result_message *result)
{
    enum error error;

    (void)deadline;
    *result = (struct result_message){.detail = "",
                                      .wire_name = "",
                                      .request_id = "",
                                      .attribute = "",
                                      .medium = "",
                                      .destination = "",
                                      .keys = "",
                                      .challenge = ""};
    HOLDS(!seen.accepted);
    if (helper == NULL)
        return ERR_HELPER_LOST;
    if (type == MSG_VERIFY)
        check_verify(message);
    result->signin = type == MSG_SIGNIN || type == MSG_ANSWER;
    error = read_result(helper, result);
    if (result->signin == 1)
        seen.signed_in = error == ERR_NONE && *result->challenge == '\0';
    if (type == MSG_TOKEN)
        check_token(message);
    if (type == MSG_SEND)
        seen.sent |= error == ERR_NONE;
    if (type == MSG_VERIFY)
        seen.accepted = error == ERR_NONE;
    return error;
}

enum error command_run(const struct run_message *run, deadline_t deadline, struct secret *output, char *detail,
                       size_t size)
{
    const char *line = script_next(&script, "k", NULL);
    char token[256];

    (void)deadline;
    HOLDS(*run->path == '/' && run->user != NULL && run->arguments.count == 3);
    snprintf(detail, size, "it says no");
    if (line == NULL || *line == '!')
        return line == NULL ? ERR_COMMAND : error_of(line + 1, strlen(line + 1));
    snprintf(token, sizeof token, "%.200s" CANARY, line);
    return secret_set(output, token, strlen(token)) ? ERR_NONE : ERR_NO_MEMORY;
}

/* The calls. */

static const char *arguments[40];
static int argument_count;

static void call_code(void)
{
    int said;

    past.used = past.confirmed = false;
    past.said = PAM_SYSTEM_ERR;
    said = step_code(&handle, 0, argument_count, arguments);
    HOLDS(said != PAM_SUCCESS && !seen.accepted);
    if (said == PAM_CRED_INSUFFICIENT)
        HOLDS(seen.sent && !seen.remembered && *seen.typed != '\0');
    past.said = said;
    past.recorded = handle.data != NULL;
    past.signed_in = seen.signed_in;
    snprintf(past.user, sizeof past.user, "%s", handle.user == NULL ? "" : handle.user);
    snprintf(past.typed, sizeof past.typed, "%s", seen.typed);
    if (said == PAM_IGNORE)
        HOLDS(!seen.sent);
    /* Where not even a record could be made, an older one may have its helper still. */
    HOLDS((helpers == 1) == (said == PAM_CRED_INSUFFICIENT) || pam_fault > 0 || memory_fault);
}

static void call_confirm(void)
{
    bool good = !past.used && past.recorded && handle.user != NULL && strcmp(past.user, handle.user) == 0;
    int said = step_confirm(&handle, 0);

    HOLDS(said != PAM_CRED_INSUFFICIENT && (!seen.accepted || said == PAM_SUCCESS));
    if (said == PAM_SUCCESS)
        HOLDS(good && (past.said == PAM_CRED_INSUFFICIENT ? seen.accepted : past.said == PAM_IGNORE && past.signed_in));
    if (said == PAM_IGNORE)
        HOLDS(good && past.said == PAM_IGNORE && !past.signed_in);
    HOLDS(helpers == 0);
    past.recorded = handle.data != NULL;
    past.used = true;
    past.confirmed = said == PAM_SUCCESS;
}

static void call_guard(void)
{
    bool proved =
        handle.user != NULL && strcmp(past.user, handle.user) == 0 && (past.confirmed || past.said == PAM_IGNORE);
    int said = step_guard(&handle, 0, argument_count, arguments);

    HOLDS(said == PAM_IGNORE || said == PAM_PERM_DENIED || said == PAM_SERVICE_ERR);
    HOLDS(said != PAM_IGNORE || !past.recorded || proved);
}

/* What a process has that a guest may not change. */
struct host {
    char **environment;
    mode_t mask;
    sigset_t blocked;
    int free_fd;
};

static struct host look_at_host(void)
{
    struct host host = {.environment = environ, .mask = umask(022), .free_fd = open("/", O_PATH | O_CLOEXEC)};

    umask(host.mask);
    close(host.free_fd);
    sigprocmask(SIG_SETMASK, NULL, &host.blocked);
    return host;
}

static void call(char which)
{
    const struct host before = look_at_host();
    struct host after;

    memset(&seen, 0, sizeof seen);
    if (which == 'c')
        call_code();
    else if (which == 'f')
        call_confirm();
    else
        call_guard();
    after = look_at_host();
    HOLDS(before.environment == after.environment && before.mask == after.mask && before.free_fd == after.free_fd);
    HOLDS(memcmp(&before.blocked, &after.blocked, sizeof before.blocked) == 0);
}

static void new_handle(void)
{
    fake_pam_end(&handle);
    HOLDS(helpers == 0);
    memset(&past, 0, sizeof past);
    past.said = PAM_SYSTEM_ERR;
    fake_pam_set(&handle.user, "alice");
    fake_pam_set(&handle.service, "sshd");
}

static void set_secret(char **item, const char *text)
{
    char *secret;

    if (asprintf(&secret, "%s" CANARY, text) < 0)
        abort();
    free(*item);
    *item = secret;
}

static void act(const char *line)
{
    switch (*line) {
    case 'c':
    case 'f':
    case 'g':
        call(*line);
        break;
    case 'n':
        new_handle();
        break;
    case 'u':
        fake_pam_set(&handle.user, line[1] == '\0' ? NULL : line + 1);
        break;
    case 'h':
        fake_pam_set(&handle.rhost, line + 1);
        break;
    case 'p':
        set_secret(&handle.authtok, line + 1);
        break;
    case 'e':
        if (strchr(line, '=') != NULL)
            set_secret(&handle.environment, line + 1);
        break;
    default:
        break;
    }
}

static void prepare(void)
{
    static const char required[] = "region = eu-central-1\nuser_pool_id = p\nclient_id = c\n";
    size_t at = (size_t)sprintf(config, "%s", required);
    const char *line;

    while ((line = script_next(&script, "c", NULL)) != NULL && at + strlen(line) + 2 < sizeof config)
        at += (size_t)sprintf(config + at, "%s\n", line);
    argument_count = 0;
    while (argument_count < 40 && (line = script_next(&script, "a", NULL)) != NULL)
        arguments[argument_count++] = line;
    line = script_next(&script, "x", NULL);
    pam_calls = 0;
    pam_fault = line == NULL ? 0 : strtol(line, NULL, 10);
    line = script_next(&script, "y", NULL);
    memory_fault = line != NULL;
    fake_memory(line == NULL ? 0 : strtol(line, NULL, 10));
    fake_now = 1000;
    fake_file = read_file;
    fake_pam_fails = fails;
    fake_pam_converse = converse;
    fake_pam_log = log_line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line;

    if (memmem(data, size, CANARY, strlen(CANARY) - 2) == NULL && script_read(&script, data, size)) {
        prepare();
        new_handle();
        for (int i = 0; i < CALLS_MOST && (line = script_next(&script, "!", NULL)) != NULL; i++)
            act(line);
        fake_pam_end(&handle);
        HOLDS(helpers == 0);
        fake_memory(0);
    }
    script_free(&script);
    return 0;
}
