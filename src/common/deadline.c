#include "common/deadline.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>

int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

deadline_t deadline_in(int64_t ms)
{
    return clock_ms() + ms;
}

deadline_t deadline_first(deadline_t a, deadline_t b)
{
    return a < b ? a : b;
}

int deadline_left(deadline_t deadline)
{
    int64_t left = deadline - clock_ms();

    if (left <= 0)
        return 0;
    return left < INT_MAX ? (int)left : INT_MAX;
}

bool deadline_poll(int fd, short events, deadline_t deadline)
{
    struct pollfd poller = {.fd = fd, .events = events};

    for (;;) {
        int ready = poll(&poller, 1, deadline_left(deadline));

        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
        if (deadline_left(deadline) == 0) {
            errno = ETIMEDOUT;
            return false;
        }
    }
}
