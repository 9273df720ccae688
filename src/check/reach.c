#include "check/check.h"
#include "check/report.h"
#include "check/settings.h"
#include "common/options.h"
#include "common/text.h"
#include "module/client.h"
#include "module/program.h"
#include "module/setup.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const columns[] = {"step", "ms", "found", "advice"};
#define COLUMNS (sizeof columns / sizeof *columns)

/* One look under way. Owns nothing. */
struct reach {
    const struct options *options;
    struct report *report;
};

/* The helper's step: its name there and here, and where to look when it fails. `found` is what it found before it
 * failed, such as the status of a reply; NULL: whatever it was. With a proxy the advice may be another one. In both %s
 * is the host. */
static const struct step {
    const char *name, *shown, *found, *advice, *proxied;
} steps[] = {
    {"dns", "DNS", NULL,
     "Ask for the name by hand: getent hosts %s. Is it the right one (region, endpoint, jwks_url)? If so, the name "
     "servers of this host do not know it or do not answer: /etc/resolv.conf.",
     "Ask for the proxy's name by hand: getent hosts %s."},
    {"tcp", "TCP", NULL,
     "Nothing answers at %s: a firewall, no route, or a network that only a proxy leaves (the option proxy; the "
     "environment never counts).",
     "The proxy %s does not answer."},
    {"tls", "TLS", NULL,
     "Whom does this host trust? See ca_path and ca_file; a proxy that looks into TLS needs its own CA there. Is the "
     "clock of this host right?",
     NULL},
    {"jwks", "JWKS", "400", "No such pool there: check region and user_pool_id, or issuer.", NULL},
    {"jwks", "JWKS", "404", "No such pool there: check region and user_pool_id, or issuer.", NULL},
    {"jwks", "JWKS", "403", "Refused by a proxy on the way, or by a web ACL (AWS WAF) before the pool.", NULL},
    {"jwks", "JWKS", "405", "Refused by a proxy on the way, or by a web ACL (AWS WAF) before the pool.", NULL},
    {"jwks", "JWKS", "200",
     "There is an answer, but not the pool's keys: check issuer and jwks_url. A proxy, or the log-in page of a guest "
     "network, may have answered.",
     NULL},
    {"jwks", "JWKS", "0", "No answer came: a proxy or firewall on the way, or too short a request_timeout.", NULL},
    {"jwks", "JWKS", NULL, "Not the answer of a pool: check jwks_url and any proxy; after 5xx try again later.", NULL},
};

/* With a proxy, for a TLS step that does not fail by TLS. */
static const char *const no_tunnel = "The proxy was reached and opened no way to the pool. May this host use it, and "
                                     "for port 443 of that name? It cannot "
                                     "be told a password. Its log says more.";

/* The last row goes for all that is not known. */
static const struct step *find_step(const char *name, const char *found)
{
    size_t i = 0;

    while (i + 1 < sizeof steps / sizeof *steps &&
           (strcmp(steps[i].name, name) != 0 || (steps[i].found != NULL && strcmp(steps[i].found, found) != 0)))
        i++;
    return &steps[i];
}

/* The host of a URL that the options' parser has taken. */
static void copy_host(const char *url, char *out, size_t size)
{
    const char *host = strstr(url, "://") + 3;
    size_t length = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");

    snprintf(out, size, "%.*s", (int)length, host);
}

/* Where the first connection goes. */
static void copy_first_host(const struct options *options, char *out, size_t size)
{
    copy_host(options->proxy != NULL ? options->proxy : options->jwks_url, out, size);
}

/* What a step that worked has found, in words. `keys` is their number. */
static void describe(const struct reach *reach, const struct step *step, const char *found, const char *keys, char *out,
                     size_t size)
{
    char host[256];

    copy_first_host(reach->options, host, sizeof host);
    if (strcmp(step->name, "dns") == 0 && *found == '\0')
        snprintf(out, size, "%s has an address", host);
    else if (strcmp(step->name, "dns") == 0)
        snprintf(out, size, "%s is %s", host, found);
    else if (strcmp(step->name, "tcp") == 0)
        snprintf(out, size, "port %s%s", found, reach->options->proxy != NULL ? " of the proxy" : "");
    else if (strcmp(step->name, "tls") == 0)
        snprintf(out, size, "a certificate that this host trusts");
    else
        snprintf(out, size, "HTTP status %s, %s keys", found, keys);
}

/* Where to look after a failure. */
static void advise(const struct reach *reach, const struct step *step, enum error error, char *out, size_t size)
{
    bool proxied = reach->options->proxy != NULL;
    char host[256];

    copy_first_host(reach->options, host, sizeof host);
    if (proxied && strcmp(step->name, "tls") == 0 && error != ERR_TLS)
        snprintf(out, size, "%s", no_tunnel);
    else
        text_fill(out, size, proxied && step->proxied != NULL ? step->proxied : step->advice, host);
}

/* A step as the helper puts it: its name, the microseconds, what it found. */
static void add_step(const struct reach *reach, const char *const strings[3], const char *keys, enum error error,
                     const char *detail)
{
    const struct step *step = find_step(strings[0], strings[2]);
    char time[32], found[768], advice[1024] = "";

    snprintf(time, sizeof time, "%.1f", strtod(strings[1], NULL) / 1000);
    if (error == ERR_NONE) {
        describe(reach, step, strings[2], keys, found, sizeof found);
    } else {
        snprintf(found, sizeof found, "%s: %s", error_name(error), detail);
        advise(reach, step, error, advice, sizeof advice);
    }
    report_row(reach->report, error == ERR_NONE ? LEVEL_OK : LEVEL_FINDING,
               (const char *const[COLUMNS]){step->shown, time, found, advice});
}

/* The last step of a list is the one that failed, if one did; else it is the number of keys. */
static void add_steps(const struct reach *reach, const struct list *list, enum error error, const char *detail)
{
    uint32_t count = list->count / 3;
    const char *keys = "no";

    if (error == ERR_NONE)
        keys = list->items[3 * --count + 2];
    for (uint32_t i = 0; i < count; i++)
        add_step(reach, list->items + (size_t)3 * i, keys, i + 1 == count ? error : ERR_NONE, detail);
}

static void add_note(const struct reach *reach, const char *step, const char *found, const char *text)
{
    report_row(reach->report, LEVEL_NOTE, (const char *const[COLUMNS]){step, NULL, found, text});
}

/* What changes the meaning of the steps. */
static void add_notes(const struct reach *reach)
{
    const struct options *options = reach->options;
    char keys_host[256], host[256];

    if (geteuid() != 0)
        add_note(reach, "user", NULL, "The helper runs as you. As root it runs as " HELPER_USER ", as in a login.");
    if (options->proxy != NULL)
        add_note(reach, "proxy", options->proxy,
                 "DNS and TCP are the way to the proxy; the proxy looks the pool's name up.");
    copy_host(options->jwks_url, keys_host, sizeof keys_host);
    copy_host(options->endpoint, host, sizeof host);
    if (strcmp(keys_host, host) != 0)
        add_note(reach, "endpoint", options->endpoint,
                 "The pool's keys come from another host than this one, which is not looked at.");
}

static void add_helper(const struct reach *reach, enum level level, const char *found, const char *advice)
{
    report_row(reach->report, level, (const char *const[COLUMNS]){"helper", NULL, found, advice});
}

/* Asks the helper how it comes to the keys. */
static void ask(const struct reach *reach, struct helper *helper)
{
    const struct report_message message = {.about = "reach"};
    deadline_t deadline = deadline_in((int64_t)reach->options->request_timeout * 1000 + PROGRAM_GRACE_MS);
    struct result_message result;
    enum error error = helper_call(helper, MSG_REPORT, &message, deadline, &result);

    if (result.choices.count >= 3) {
        add_helper(reach, LEVEL_OK, HELPER_PATH, NULL);
        add_steps(reach, &result.choices, error, result.detail);
        return;
    }
    /* It told nothing: then something is wrong with itself, whatever it says. */
    if (error == ERR_NONE)
        error = ERR_HELPER_LOST;
    add_helper(reach, LEVEL_FINDING, error_name(error), *result.detail != '\0' ? result.detail : error_log_text(error));
}

static void look(const struct reach *reach)
{
    struct start_message start = setup_start(reach->options, NULL);
    struct helper *helper = NULL;
    char why[512] = "";
    enum error error;

    start.explain = 1;
    error = helper_start(&helper, &start, why, sizeof why);
    if (error == ERR_NONE)
        ask(reach, helper);
    else
        add_helper(reach, LEVEL_FINDING, error_name(error), *why != '\0' ? why : error_log_text(error));
    helper_end(&helper);
}

int reach_main(const struct check_arguments *arguments)
{
    struct options options;
    char path[PATH_MAX], why[OPTIONS_WHY];
    struct reach reach = {.options = &options};
    int code;

    if (!settings_find(arguments->config, path, sizeof path, why, sizeof why))
        return report_failed(arguments->json, "%s", why);
    if (options_load(&options, path, 0, NULL, why, sizeof why)) {
        reach.report = report_new("reach", columns, COLUMNS);
        add_notes(&reach);
        look(&reach);
        code = report_end(&reach.report, arguments->json);
    } else {
        code = report_failed(arguments->json, "%s", why);
    }
    options_free(&options);
    return code;
}
