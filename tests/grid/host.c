/*
 * A host of the grid: one process for thousands of logins. host DIRECTORY < orders
 *
 * DIRECTORY stands in the place of /etc/pam.d for this process alone. An order is a line: the service, the user, the
 * caller's uid, and what sshd tells PAM about the methods before, with tabs in between. What is written are lines too:
 *
 *     ? STYLE TEXT      a message of a module; the answer is read: "=ANSWER", "0" for none, "!" for a failure
 *     decided CODES     what authenticate and acct_mgmt returned; after a failure nothing more is called
 *     here CODES        what setcred and open_session returned, with the same handle
 *     parent CODES      the same where sshd makes these calls
 *     end
 *
 * Both process models are one run. sshd starts PAM, forks, authenticates in the child, and sets the credentials and
 * opens the session with the handle of the parent, which knows nothing of what the child has seen. Here the child makes
 * these two calls as well, as a host of one process does; and what the parent does is left to a second child, because
 * modules change the process in which they open a session.
 */
#include <sched.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* What this program itself cannot do is no verdict of a stack. */
#define BROKEN 2

/* Seconds for a login; whoever waits for its end hears of it. */
#define PATIENCE 60

static char *line;
static size_t size;

/* False at the end of the input. The answer comes before the next line is asked for, so a child and its parent can
 * share the stream. */
static bool read_line(void)
{
    ssize_t length = getline(&line, &size, stdin);

    if (length <= 0 || line[length - 1] != '\n')
        return false;
    line[length - 1] = '\0';
    return true;
}

/* On one line, whatever the text is. */
static void show(const struct pam_message *message)
{
    printf("? %d ", message->msg_style);
    for (const char *at = message->msg; *at != '\0'; at++)
        putchar(*at == '\n' ? ' ' : *at);
    putchar('\n');
    fflush(stdout);
}

/* Asks for one answer; false when the conversation is to fail. */
static bool ask(const struct pam_message *message, char **answer)
{
    show(message);
    if (!read_line())
        exit(BROKEN);
    *answer = *line == '=' ? strdup(line + 1) : NULL;
    return *line != '!';
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses, void *data)
{
    struct pam_response *answers = calloc((size_t)count, sizeof *answers);
    bool works = answers != NULL;

    (void)data;
    for (int i = 0; i < count && works; i++)
        works = ask(messages[i], &answers[i].resp);
    if (works)
        *responses = answers;
    else
        free(answers);
    return works ? PAM_SUCCESS : PAM_CONV_ERR;
}

/* After a failure Linux-PAM waits; but here it is nobody's fault. */
static void hurry(int status, unsigned int delay, void *data)
{
    (void)status;
    (void)delay;
    (void)data;
}

static int establish(pam_handle_t *pamh, int flags)
{
    return pam_setcred(pamh, flags | PAM_ESTABLISH_CRED);
}

typedef int call(pam_handle_t *pamh, int flags);

/* What decides, and what sshd does elsewhere. */
static call *const deciding[] = {pam_authenticate, pam_acct_mgmt, NULL};
static call *const following[] = {establish, pam_open_session, NULL};

/* Makes the calls up to the first failure, and says what each returned. True when all were successful. */
static bool make_calls(const char *title, call *const calls[], pam_handle_t *pamh)
{
    int codes[2];
    int made = 0;
    int code = PAM_SUCCESS;

    while (calls[made] != NULL && code == PAM_SUCCESS) {
        code = calls[made](pamh, 0);
        codes[made++] = code;
    }
    printf("%s", title);
    for (int i = 0; i < made; i++)
        printf(" %d", codes[i]);
    putchar('\n');
    fflush(stdout);
    return code == PAM_SUCCESS;
}

/* What a host of one process does. sshd's child does the first half of it, and the result is that half's. */
static bool log_in(pam_handle_t *pamh)
{
    bool granted = make_calls("decided", deciding, pamh);

    if (granted)
        make_calls("here", following, pamh);
    return granted;
}

/* What sshd's parent does. */
static bool follow(pam_handle_t *pamh)
{
    return make_calls("parent", following, pamh);
}

/* Runs it in a child with the real uid of the caller. */
static bool in_child(bool (*run)(pam_handle_t *), pam_handle_t *pamh, uid_t caller)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        bool succeeds;

        alarm(PATIENCE);
        if (setresuid(caller, 0, 0) != 0)
            exit(BROKEN);
        succeeds = run(pamh);
        pam_end(pamh, PAM_SUCCESS);
        exit(succeeds ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) == BROKEN) {
        fprintf(stderr, "host: a child ended with %#x\n", (unsigned int)status);
        exit(BROKEN);
    }
    return WEXITSTATUS(status) == EXIT_SUCCESS;
}

enum field { SERVICE, USER, CALLER, METHODS, FIELDS };

/* Starts PAM as the application does. */
static int start(char *const order[FIELDS], pam_handle_t **pamh)
{
    const struct pam_conv conversation = {converse, NULL};
    char variable[256];
    int code = pam_start(order[SERVICE], order[USER], &conversation, pamh);

    if (code != PAM_SUCCESS)
        return code;
    snprintf(variable, sizeof variable, "SSH_AUTH_INFO_0=%s", order[METHODS]);
    if (pam_set_item(*pamh, PAM_FAIL_DELAY, (const void *)hurry) != PAM_SUCCESS ||
        (*order[METHODS] != '\0' && pam_putenv(*pamh, variable) != PAM_SUCCESS))
        exit(BROKEN);
    return code;
}

static void carry_out(char *const order[FIELDS])
{
    pam_handle_t *pamh = NULL;
    uid_t caller = (uid_t)strtoul(order[CALLER], NULL, 10);
    int code = start(order, &pamh);

    if (code != PAM_SUCCESS)
        printf("decided %d\n", code);
    else if (in_child(log_in, pamh, caller))
        in_child(follow, pamh, 0);
    if (pamh != NULL)
        pam_end(pamh, code);
    puts("end");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc != 2 || unshare(CLONE_NEWNS) != 0 || mount(argv[1], "/etc/pam.d", NULL, MS_BIND, NULL) != 0) {
        perror("host");
        return BROKEN;
    }
    while (read_line()) {
        char *order[FIELDS];
        char *copy = strdup(line);
        char *rest = copy;

        for (int i = 0; i < FIELDS; i++)
            order[i] = strsep(&rest, "\t");
        if (order[FIELDS - 1] == NULL)
            return BROKEN;
        carry_out(order);
        free(copy);
    }
    return 0;
}
