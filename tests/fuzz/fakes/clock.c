#include "fakes/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

int64_t fake_now = 1000;

int64_t clock_ms(void)
{
    return fake_now;
}

deadline_t deadline_in(int64_t ms)
{
    return fake_now + ms;
}

deadline_t deadline_first(deadline_t a, deadline_t b)
{
    return a < b ? a : b;
}

int deadline_left(deadline_t deadline)
{
    int64_t left = deadline - fake_now;

    if (left <= 0)
        return 0;
    return left < INT_MAX ? (int)left : INT_MAX;
}

/* Who is not ready now never will be: nobody else is running. */
bool deadline_poll(int fd, short events, deadline_t deadline)
{
    struct pollfd poller = {.fd = fd, .events = events};

    if (poll(&poller, 1, 0) > 0)
        return true;
    if (fake_now < deadline)
        fake_now = deadline;
    errno = ETIMEDOUT;
    return false;
}
