/*
 * A host process with many logins at once, a thread and a PAM handle each: crowd DESCRIPTOR
 *
 * Orders are lines that are read from DESCRIPTOR; N is the number of a login:
 *
 *     begin N SERVICE USER     log in: authenticate, acct_mgmt, setcred, open_session, until one of them fails; a USER
 * who is "-" is left for the modules to ask for N =TEXT                  the answer to what N asked; "0" instead of
 * "=TEXT" is none, "!" a failure manner NAME ARGUMENT     behave so from now on: manners.c report what was seen of
 * signals and children
 *
 * Lines that are written to it are:
 *
 *     ask N MS STYLE TEXT      a message; MS are the milliseconds since the last answer, or since the call began
 *     called N CALL CODE MS    a call has returned
 *     changed N CALL WHAT      and the process is not as it was before
 *     done N
 *     ok, no, or the report
 */
#include "manners.h"
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LOGINS 256

/* `answer` belongs to the thread once it is set. */
struct login {
    int number;
    bool busy;
    char *service, *user;
    struct timespec since;
    char *answer;
    pthread_cond_t answered;
};

static struct login logins[LOGINS];
static pthread_mutex_t answers = PTHREAD_MUTEX_INITIALIZER, lines = PTHREAD_MUTEX_INITIALIZER;
static struct manners manners;
static int wire = -1;

/* Writes a line whole, whoever else writes. */
__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
    char line[8192];
    va_list arguments;
    size_t length, at = 0;

    va_start(arguments, format);
    vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    for (char *end = strchr(line, '\n'); end != NULL; end = strchr(end, '\n'))
        *end = '\v';
    length = strlen(line);
    line[length++] = '\n';
    pthread_mutex_lock(&lines);
    while (at < length) {
        ssize_t put = write(wire, line + at, length - at);

        if (put > 0)
            at += (size_t)put;
        else if (errno != EINTR)
            _exit(EXIT_FAILURE);
    }
    pthread_mutex_unlock(&lines);
}

static long lap(struct timespec *since)
{
    struct timespec before = *since;

    clock_gettime(CLOCK_MONOTONIC, since);
    return (since->tv_sec - before.tv_sec) * 1000 + (since->tv_nsec - before.tv_nsec) / 1000000;
}

/* False when the conversation is to fail. */
static bool ask(struct login *login, const struct pam_message *message, char **answer)
{
    char *line;

    tell("ask %d %ld %d %s", login->number, lap(&login->since), message->msg_style, message->msg);
    pthread_mutex_lock(&answers);
    while (login->answer == NULL)
        pthread_cond_wait(&login->answered, &answers);
    line = login->answer;
    login->answer = NULL;
    pthread_mutex_unlock(&answers);
    *answer = *line == '=' ? strdup(line + 1) : NULL;
    lap(&login->since);
    if (*line == '!') {
        free(line);
        return false;
    }
    free(line);
    return true;
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses, void *login)
{
    struct pam_response *found = calloc((size_t)count, sizeof *found);
    bool works = found != NULL;

    for (int i = 0; i < count && works; i++)
        works = ask(login, messages[i], &found[i].resp);
    *responses = found;
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

static const struct call {
    const char *name;
    int (*make)(pam_handle_t *pamh, int flags);
} calls[] = {
    {"authenticate", pam_authenticate},
    {"acct_mgmt", pam_acct_mgmt},
    {"setcred", establish},
    {"open_session", pam_open_session},
};

/* Snapshots are taken where that is wanted; their difference is told. */
static char *look(void)
{
    return manners.compare ? snapshot() : NULL;
}

static void look_again(const struct login *login, const char *call, char *before)
{
    char *after = look();
    char *difference = before == NULL || after == NULL ? NULL : snapshot_difference(before, after);

    if (difference != NULL)
        tell("changed %d %s %s", login->number, call, difference);
    free(difference);
    free(before);
    free(after);
}

static int make_call(struct login *login, const struct call *call, pam_handle_t *pamh)
{
    char *before = look();
    int code;

    lap(&login->since);
    code = call->make(pamh, 0);
    tell("called %d %s %d %ld", login->number, call->name, code, lap(&login->since));
    look_again(login, call->name, before);
    return code;
}

static void log_in(struct login *login)
{
    const struct pam_conv conversation = {converse, login};
    pam_handle_t *pamh = NULL;
    const char *user = strcmp(login->user, "-") == 0 ? NULL : login->user;
    int code = pam_start(login->service, user, &conversation, &pamh);

    if (code == PAM_SUCCESS)
        code = pam_set_item(pamh, PAM_FAIL_DELAY, hurry);
    if (code != PAM_SUCCESS)
        tell("called %d start %d 0", login->number, code);
    for (size_t i = 0; i < sizeof calls / sizeof *calls && code == PAM_SUCCESS; i++)
        code = make_call(login, &calls[i], pamh);
    if (pamh != NULL)
        pam_end(pamh, code);
}

static void *run(void *data)
{
    struct login *login = data;
    int number = login->number;
    sigset_t alarm;
    char *before;

    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    if (manners.unblocked)
        pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
    before = look();
    log_in(login);
    look_again(login, "end", before);
    free(login->service);
    free(login->user);
    /* For race detectors, which do not know that the next order for this login comes after the line. */
    pthread_mutex_lock(&answers);
    login->busy = false;
    pthread_mutex_unlock(&answers);
    tell("done %d", number);
    return NULL;
}

static bool begin(int number, const char *service, const char *user)
{
    struct login *login = &logins[number];
    pthread_attr_t attributes;
    pthread_t thread;
    bool begun;

    pthread_mutex_lock(&answers);
    begun = !login->busy;
    login->busy = true;
    pthread_mutex_unlock(&answers);
    if (!begun)
        return false;
    login->number = number;
    login->service = strdup(service);
    login->user = strdup(user);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (manners.stack != 0)
        pthread_attr_setstacksize(&attributes, manners.stack);
    begun = pthread_create(&thread, &attributes, run, login) == 0;
    pthread_attr_destroy(&attributes);
    return begun;
}

static void pass_on(int number, const char *answer)
{
    pthread_mutex_lock(&answers);
    logins[number].answer = strdup(answer);
    pthread_cond_signal(&logins[number].answered);
    pthread_mutex_unlock(&answers);
}

/* Carries out a line. False for one that is no order. */
static bool obey(char *line)
{
    char *word = strsep(&line, " ");
    char report[128];
    int number;

    if (strcmp(word, "report") == 0) {
        manners_report(report, sizeof report);
        tell("%s", report);
        return true;
    }
    if (line == NULL)
        return false;
    if (strcmp(word, "manner") == 0) {
        tell("%s", behave(&manners, line) ? "ok" : "no");
        return true;
    }
    number = atoi(strcmp(word, "begin") == 0 ? strsep(&line, " ") : word);
    if (number < 0 || number >= LOGINS || line == NULL)
        return false;
    if (strcmp(word, "begin") == 0) {
        const char *service = strsep(&line, " ");

        return line != NULL && begin(number, service, line);
    }
    pass_on(number, line);
    return true;
}

int main(int argc, char **argv)
{
    FILE *orders;
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    /* Descriptor 3 is held for those who want it to be closed too; the orders come by the lowest number after it, so
     * that a limit next to what is used leaves no gap beneath it. */
    if (open("/dev/null", O_RDWR | O_CLOEXEC) >= 0 && argc == 2)
        wire = fcntl(atoi(argv[1]), F_DUPFD_CLOEXEC, 4);
    orders = fdopen(wire, "r");
    if (orders == NULL) {
        perror("crowd");
        return EXIT_FAILURE;
    }
    close(atoi(argv[1]));
    /* The log's socket is there from now on. */
    openlog("crowd", LOG_NDELAY, LOG_AUTH);
    for (int i = 0; i < LOGINS; i++)
        pthread_cond_init(&logins[i].answered, NULL);
    while ((length = getline(&line, &size, orders)) > 0) {
        line[length - 1] = '\0';
        if (!obey(line))
            return EXIT_FAILURE;
    }
    free(line);
    return EXIT_SUCCESS;
}
