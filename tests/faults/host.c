/*
 * A host of the modules for many logins: a process that calls libpam as it is told, line by line on standard input, and
 * compares itself before and after each login.
 *
 *   login SERVICE USER RHOST VARIABLE
 *
 * A rhost or a PAM environment variable (NAME=VALUE) that is not to be is "-". It answers with
 *
 *   ask STYLE TEXT          for each message, \n and \\ written so; wants a line back: "=ANSWER", "null", or "code N":
 * the conversation fails differs WHEN: WHAT      for each thing that is not as it was done CODE CODE CODE     of
 * authenticate, acct_mgmt and setcred
 */
#include "memory.h"

#include <dirent.h>
#include <dlfcn.h>
#include <locale.h>
#include <malloc.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define LINE_MOST 8192

/* What a guest must leave as it was, a line each. Static, for what it takes itself must not count. */
struct state {
    size_t length;
    char text[128 * 1024];
};

static struct state before, after;

__attribute__((format(printf, 2, 3))) static void add(struct state *state, const char *format, ...)
{
    va_list arguments;
    size_t room = sizeof state->text - state->length;
    int length;

    va_start(arguments, format);
    length = vsnprintf(state->text + state->length, room, format, arguments);
    va_end(arguments);
    state->length += length < 0 || (size_t)length >= room ? 0 : (size_t)length;
}

static void add_signals(struct state *state)
{
    sigset_t blocked;

    sigemptyset(&blocked);
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;

        if (sigaction(number, NULL, &action) != 0)
            continue;
        if (action.sa_handler != SIG_DFL || action.sa_flags != 0 || sigismember(&blocked, number))
            add(state, "signal %d: handler %p, flags %x, blocked %d\n", number, (void *)action.sa_handler,
                (unsigned int)action.sa_flags, sigismember(&blocked, number));
    }
}

/* The names in a folder of /proc/self, with what each links to. */
static void add_folder(struct state *state, const char *path, bool links)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char target[256] = "";
        char file[512];

        if (entry->d_name[0] == '.' || (links && atoi(entry->d_name) == dirfd(folder)))
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (links && readlink(file, target, sizeof target - 1) < 0)
            continue;
        add(state, "%s %s\n", file, target);
    }
    if (folder != NULL)
        closedir(folder);
}

/* The lines of a file, but for those with the word: the heap grows and shrinks. */
static void add_file(struct state *state, const char *path, const char *but)
{
    FILE *file = fopen(path, "re");
    char line[1024];

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strstr(line, but) == NULL)
            add(state, "%s", line);
    if (file != NULL)
        fclose(file);
}

static void take_state(struct state *state)
{
    struct itimerval timer;
    mode_t mask = umask(0);
    char folder[4096];

    umask(mask);
    state->length = 0;
    add_signals(state);
    add_folder(state, "/proc/self/fd", true);
    add_folder(state, "/proc/self/task", false);
    add_file(state, "/proc/thread-self/children", "\n");
    add(state, "\n");
    add_file(state, "/proc/self/maps", "[heap]");
    for (char **variable = environ; *variable != NULL; variable++)
        add(state, "environment %s\n", *variable);
    add(state, "umask %o\n", (unsigned int)mask);
    add(state, "folder %s\n", getcwd(folder, sizeof folder) == NULL ? "?" : folder);
    add(state, "locale %s\n", setlocale(LC_ALL, NULL));
    add(state, "ids %u %u %u %u\n", getuid(), geteuid(), getgid(), getegid());
    for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++)
        if (getitimer(which, &timer) == 0 && (timer.it_value.tv_sec != 0 || timer.it_value.tv_usec != 0))
            add(state, "timer %d\n", which);
    add(state, "blocks %zu\n", memory_blocks());
}

static bool has_line(const struct state *state, const char *line)
{
    size_t length = strcspn(line, "\n") + 1;

    for (const char *at = state->text; at < state->text + state->length; at += strcspn(at, "\n") + 1)
        if (strncmp(at, line, length) == 0)
            return true;
    return false;
}

static void print_missing(const struct state *from, const struct state *in, const char *what)
{
    for (const char *at = from->text; at < from->text + from->length; at += strcspn(at, "\n") + 1)
        if (*at != '\n' && !has_line(in, at))
            printf("differs %s: %.*s\n", what, (int)strcspn(at, "\n"), at);
}

static void compare(void)
{
    static char described[16 * 1024];

    take_state(&after);
    if (before.length == after.length && memcmp(before.text, after.text, before.length) == 0)
        return;
    print_missing(&before, &after, "before");
    print_missing(&after, &before, "after");
    memory_describe(described, sizeof described);
    for (char *line = strtok(described, "\n"); line != NULL; line = strtok(NULL, "\n"))
        printf("differs after: %s\n", line);
}

static bool hear(char line[LINE_MOST])
{
    if (fgets(line, LINE_MOST, stdin) == NULL)
        return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

static void print_message(const struct pam_message *message)
{
    printf("ask %d ", message->msg_style);
    for (const char *at = message->msg; *at != '\0'; at++) {
        if (*at == '\n' || *at == '\\')
            putchar('\\');
        putchar(*at == '\n' ? 'n' : *at);
    }
    putchar('\n');
    fflush(stdout);
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses, void *data)
{
    static char line[LINE_MOST];
    struct pam_response *array = calloc((size_t)count, sizeof *array);

    (void)data;
    *responses = NULL;
    for (int i = 0; i < count; i++) {
        print_message(messages[i]);
        if (array == NULL || !hear(line) || strncmp(line, "code ", 5) == 0) {
            for (int j = 0; array != NULL && j < i; j++)
                free(array[j].resp);
            free(array);
            return array == NULL ? PAM_BUF_ERR : atoi(line + 5);
        }
        if (*line == '=')
            array[i].resp = strdup(line + 1);
    }
    *responses = array;
    return PAM_SUCCESS;
}

static const char *given(const char *word)
{
    return word == NULL || strcmp(word, "-") == 0 ? NULL : word;
}

static void log_in(char *words)
{
    static const struct pam_conv conversation = {converse, NULL};
    const char *service = strtok(words, " "), *user = strtok(NULL, " ");
    const char *rhost = given(strtok(NULL, " ")), *variable = given(strtok(NULL, ""));
    int codes[3] = {PAM_ABORT, PAM_ABORT, PAM_ABORT};
    pam_handle_t *pamh = NULL;

    memory_mark();
    take_state(&before);
    if (pam_start(service, user, &conversation, &pamh) != PAM_SUCCESS)
        exit(3);
    if (rhost != NULL)
        pam_set_item(pamh, PAM_RHOST, rhost);
    if (variable != NULL)
        pam_putenv(pamh, variable);
    codes[0] = pam_authenticate(pamh, 0);
    /* As a host would that does not look: then the guard is all there is. */
    codes[1] = pam_acct_mgmt(pamh, 0);
    codes[2] = pam_setcred(pamh, PAM_ESTABLISH_CRED);
    pam_end(pamh, codes[2]);
    compare();
    printf("done %d %d %d\n", codes[0], codes[1], codes[2]);
    fflush(stdout);
}

/* As hosts have them: something set that a guest might unset. */
static void furnish(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t blocked;

    /* All memory from the heap, so that what is mapped stays the same. */
    mallopt(M_MMAP_MAX, 0);
    setlocale(LC_ALL, "C.UTF-8");
    sigaction(SIGHUP, &ignore, NULL);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    umask(027);
}

int main(int argc, char **argv)
{
    static char line[LINE_MOST];

    furnish();
    /* Libraries that stay, so that what is mapped does too. */
    for (int i = 1; i < argc; i++) {
        if (dlopen(argv[i], RTLD_NOW) == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 2;
        }
    }
    while (hear(line))
        if (strncmp(line, "login ", 6) == 0)
            log_in(line + 6);
    return 0;
}
