#include "helper/report.h"

#include "helper/keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void add_step(struct result *result, const char *name, int64_t microseconds, const char *found)
{
    char time[32];

    snprintf(time, sizeof time, "%" PRId64, microseconds);
    result_add_choice(result, name);
    result_add_choice(result, time);
    result_add_choice(result, found);
}

/* The steps of the last transfer up to the one that failed, or all. */
static void add_steps(const struct transfer_trace *trace, struct result *result)
{
    char port[16], status[16];
    const struct {
        const char *name;
        int64_t end;
        const char *found;
    } steps[] = {
        {"dns", trace->looked_up, trace->address},
        {"tcp", trace->connected, port},
        {"tls", trace->secured, ""},
        {"jwks", trace->status == 0 ? 0 : trace->over, status},
    };
    int64_t before = 0;

    snprintf(port, sizeof port, "%ld", trace->port);
    snprintf(status, sizeof status, "%ld", trace->status);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        bool reached = steps[i].end > 0;

        add_step(result, steps[i].name, (reached ? steps[i].end : trace->over) - before, steps[i].found);
        if (!reached)
            return;
        before = steps[i].end;
    }
}

static bool report_reach(struct session *session, deadline_t deadline, struct result *result)
{
    char count[16];
    const struct keys *keys = &session->keys;
    bool reached = keys->fetched;

    /* The fetch that the helper begins with may be over, and the connection that it left has no steps to show. */
    if (!reached && !keys->coming)
        http_renew(session->http);
    if (!reached)
        reached = keys_fetch(&session->keys, session->http, session->start.jwks_url, deadline, result);
    if (!reached && (result->error == ERR_HELPER_LOST || result->error == ERR_SYSTEM))
        return false;
    add_steps(http_trace(session->http), result);
    if (!reached)
        return false;
    snprintf(count, sizeof count, "%zu", session->keys.set.count);
    add_step(result, "keys", 0, count);
    return true;
}

static bool report_token(struct session *session, deadline_t deadline, struct result *result)
{
    (void)deadline;
    if (session->checks != NULL)
        checks_report(session->checks, result);
    return true;
}

static const struct {
    const char *about;
    bool (*run)(struct session *session, deadline_t deadline, struct result *result);
} reports[] = {
    {"reach", report_reach},
    {"token", report_token},
};

bool report_run(struct session *session, const void *message, deadline_t deadline, struct result *result)
{
    const struct report_message *report = message;

    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++)
        if (strcmp(report->about, reports[i].about) == 0)
            return reports[i].run(session, deadline, result);
    return result_fail(result, ERR_BAD_REQUEST, "there is no such report");
}
