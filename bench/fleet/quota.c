#include "quota.h"

struct quota quota_begin(enum quota_kind kind, int64_t rate)
{
    return (struct quota){.kind = kind, .rate = rate, .tokens = rate * SECOND};
}

static void go_on(struct quota *quota, int64_t now)
{
    int64_t full = quota->rate * SECOND;

    if (now / SECOND != quota->at / SECOND)
        quota->in_second = 0;
    /* A whole second fills it, so that long silence overflows nothing. */
    quota->tokens += (now - quota->at > SECOND ? SECOND : now - quota->at) * quota->rate;
    if (quota->tokens > full)
        quota->tokens = full;
    quota->at = now;
}

bool quota_take(struct quota *quota, int64_t now)
{
    go_on(quota, now);
    if (quota->rate != 0) {
        if (quota->kind == QUOTA_WINDOW && quota->in_second >= quota->rate)
            return false;
        if (quota->kind == QUOTA_BUCKET && quota->tokens < SECOND)
            return false;
        quota->tokens -= SECOND;
    }
    quota->served++;
    quota->in_second++;
    if (quota->in_second > quota->busiest)
        quota->busiest = quota->in_second;
    return true;
}
