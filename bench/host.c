/*
 * A host of PAM modules with a clock, and what it all costs:
 *
 *     host [-w] [-n COUNT] SERVICE USER [MS=ANSWER]...     COUNT logins, one after the other, in one process
 *     host [-w] -x PROGRAM ARGUMENT...                     a program in the place of a login
 *
 * Each question gets the next ANSWER, MS milliseconds after it was asked. -w: nothing begins before standard input
 * ends. Written are lines; the program's own stand between them:
 *
 *     asked US TEXT        a question; US microseconds since the last answer, or since the login began
 *     returned CODE US     what pam_authenticate returned, and how long after the last answer
 *     memory KB            of the process, after each login, when there are several
 *     ended STATUS US      the process is over: its exit status, and how long it ran
 *     cost US              processor time of the process and of all that it started, whoever waited for them
 *
 * The login has a process of its own, as sshd's has. The one above it is a subreaper, so whatever is left without
 * a parent, such as the helper, becomes its child, and counts.
 */
#include <errno.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct order {
    bool wait, program;
    int count;
    char **words; /* SERVICE, USER and the answers, or the program and its arguments */
};

struct login {
    char **answers; /* the next one */
    int64_t since;  /* the last one was given */
};

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void nap(long milliseconds)
{
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    while (nanosleep(&left, &left) != 0)
        continue;
}

/* On one line, whatever the text is. */
static void show(const char *text, int64_t waited)
{
    printf("asked %lld ", (long long)waited);
    for (; *text != '\0'; text++)
        putchar(*text == '\n' ? ' ' : *text);
    putchar('\n');
}

/* Answers one question; false when there is no answer left. */
static bool answer(struct login *login, const struct pam_message *message, char **given)
{
    int64_t waited = now() - login->since;
    char *text;

    if (message->msg_style != PAM_PROMPT_ECHO_ON && message->msg_style != PAM_PROMPT_ECHO_OFF)
        return true;
    show(message->msg, waited);
    if (*login->answers == NULL)
        return false;
    nap(strtol(*login->answers++, &text, 10));
    *given = strdup(text + 1);
    login->since = now();
    return *given != NULL;
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses, void *data)
{
    struct pam_response *given = calloc((size_t)count, sizeof *given);
    bool works = given != NULL;

    for (int i = 0; i < count && works; i++)
        works = answer(data, messages[i], &given[i].resp);
    *responses = works ? given : NULL;
    return works ? PAM_SUCCESS : PAM_CONV_ERR;
}

/* After a failure Linux-PAM waits; but here it is nobody's fault. */
static void hurry(int status, unsigned int delay, void *data)
{
    (void)status;
    (void)delay;
    (void)data;
}

static int log_in(char **words)
{
    struct login login = {.answers = words + 2, .since = now()};
    const struct pam_conv conversation = {converse, &login};
    pam_handle_t *pamh = NULL;
    int code = pam_start(words[0], words[1], &conversation, &pamh);

    if (code != PAM_SUCCESS || pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)hurry) != PAM_SUCCESS)
        exit(EXIT_FAILURE);
    code = pam_authenticate(pamh, 0);
    printf("returned %d %lld\n", code, (long long)(now() - login.since));
    pam_end(pamh, code);
    return code;
}

/* /proc/self/statm is cheaper, and off by what each processor has not added yet. */
static void show_memory(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    char line[256];
    long size;

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "Rss: %ld", &size) == 1)
            printf("memory %ld\n", size);
    if (file != NULL)
        fclose(file);
}

static int log_in_often(const struct order *order)
{
    int code = PAM_SUCCESS;

    for (int i = 0; i < order->count && code == PAM_SUCCESS; i++) {
        code = log_in(order->words);
        if (order->count > 1)
            show_memory();
    }
    return code == PAM_SUCCESS ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void await_start(void)
{
    char byte;

    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
}

/* The login's own process. */
_Noreturn static void be_host(const struct order *order)
{
    if (!order->program)
        exit(log_in_often(order));
    execv(order->words[0], order->words);
    perror(order->words[0]);
    _exit(EXIT_FAILURE);
}

/* Waits for everyone; says when the first child was over, and how. */
static void await_all(pid_t child, int64_t start)
{
    int status;
    pid_t ended;

    while ((ended = wait(&status)) > 0 || errno == EINTR)
        if (ended == child)
            printf("ended %d %lld\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1, (long long)(now() - start));
}

static int64_t microseconds(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

static void measure(const struct order *order)
{
    struct rusage usage;
    int64_t start;
    pid_t child;

    if (order->wait)
        await_start();
    start = now();
    child = fork();
    if (child == 0)
        be_host(order);
    await_all(child, start);
    getrusage(RUSAGE_CHILDREN, &usage);
    printf("cost %lld\n", (long long)(microseconds(usage.ru_utime) + microseconds(usage.ru_stime)));
}

int main(int argc, char **argv)
{
    struct order order = {.count = 1};
    int option;

    while ((option = getopt(argc, argv, "+wxn:")) != -1) {
        order.wait |= option == 'w';
        order.program |= option == 'x';
        if (option == 'n')
            order.count = atoi(optarg);
    }
    order.words = argv + optind;
    if (argc - optind < (order.program ? 1 : 2) || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        fputs("usage: host [-w] [-n COUNT] SERVICE USER [MS=ANSWER]... | -x PROGRAM ARGUMENT...\n", stderr);
        return EXIT_FAILURE;
    }
    measure(&order);
    return EXIT_SUCCESS;
}
