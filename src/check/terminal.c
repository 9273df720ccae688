#include "check/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* What a terminal takes as one line: N_TTY_BUF_SIZE of Linux. */
#define LINE_MOST 4096

/* Those that would leave the terminal without echo. */
static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGALRM};
#define SIGNALS (sizeof signals / sizeof *signals)

static volatile sig_atomic_t caught;

static void catch (int signal)
{
    caught = signal;
}

static bool write_text(int fd, const char *text)
{
    size_t length = strlen(text);

    while (length > 0) {
        ssize_t written = write(fd, text, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        text += written;
        length -= (size_t)written;
    }
    return true;
}

static int open_terminal(void)
{
    return open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

bool terminal_say(const char *text)
{
    int fd = open_terminal();
    bool said;

    if (fd < 0)
        return false;
    said = write_text(fd, text) && write_text(fd, "\n");
    close(fd);
    return said;
}

/* Signals come only while this waits. The line's length, 0 at the end of input, or -1. */
static ssize_t read_line(int fd, char *line, size_t size, const sigset_t *mask)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};

    if (ppoll(&poller, 1, NULL, mask) < 0)
        return -1;
    return read(fd, line, size);
}

static char *take_line(const char *line, ssize_t length)
{
    if (length <= 0)
        return NULL;
    if (line[length - 1] == '\n')
        length--;
    return strndup(line, (size_t)length);
}

/* One question with the signals blocked. */
static char *ask(int fd, const char *text, bool echo, const sigset_t *mask)
{
    char line[LINE_MOST];
    struct termios before, hidden;
    char *answer = NULL;

    if (tcgetattr(fd, &before) != 0)
        return NULL;
    hidden = before;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    if (!echo && tcsetattr(fd, TCSAFLUSH, &hidden) != 0)
        return NULL;
    if (write_text(fd, text))
        answer = take_line(line, read_line(fd, line, sizeof line, mask));
    explicit_bzero(line, sizeof line);
    if (!echo) {
        tcsetattr(fd, TCSAFLUSH, &before);
        write_text(fd, "\n");
    }
    return answer;
}

char *terminal_ask(const char *text, bool echo)
{
    const struct sigaction action = {.sa_handler = catch};
    struct sigaction before[SIGNALS];
    sigset_t blocked, mask;
    char *answer;
    int fd = open_terminal();

    if (fd < 0)
        return NULL;
    sigemptyset(&blocked);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaddset(&blocked, signals[i]);
    do {
        caught = 0;
        sigprocmask(SIG_BLOCK, &blocked, &mask);
        for (size_t i = 0; i < SIGNALS; i++)
            sigaction(signals[i], &action, &before[i]);
        answer = ask(fd, text, echo, &mask);
        for (size_t i = 0; i < SIGNALS; i++)
            sigaction(signals[i], &before[i], NULL);
        if (caught != 0)
            raise(caught);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        /* Stopped and continued, this is here again: the question is asked again. */
    } while (answer == NULL && caught == SIGTSTP);
    close(fd);
    return answer;
}
