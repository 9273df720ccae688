/*
 * Draws out the moment between two processes, by /etc/ld.so.preload: what starts the helper gives it a session of its
 * own on the way.
 */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

pid_t setsid(void)
{
    const struct timespec second = {.tv_sec = 1};

    nanosleep(&second, NULL);
    return (pid_t)syscall(SYS_setsid);
}
