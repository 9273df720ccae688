#include "check/inquiry.h"
#include "module/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a refused check means, by its name. */
static const struct {
    const char *check, *advice;
} meanings[] = {
    {"alg", "Not an access token of Cognito's. Nothing of what it says beneath is verified."},
    {"kid", "Signed with no key of this pool: a token of another pool, or one that was made up. Check region and "
            "user_pool_id. Nothing of what it says beneath is verified."},
    {"signature", "Changed, cut, or made up: no token of this pool. Nothing of what it says beneath is verified."},
    {"iss", "A token of another pool: check region and user_pool_id, or issuer."},
    {"client_id", "A token for another app client: check client_id."},
    {"token_use", "The access token is wanted, not the ID token or another one of the same sign-in."},
    {"exp", "Expired: sign in again. And is the clock of this host right?"},
    {"scope", "The sign-in API gives this scope; an app client's own sign-in pages only where its settings have it."},
    {"username", "Somebody else's token, or another name: check the options username and match."},
    {"sub", "Somebody else's token, or another name: check the options username and match."},
    {"email_verified",
     "Cognito does not say that this user has confirmed his address: then it says nothing about him."},
};

static const char *meaning_of(const char *check)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strcmp(meanings[i].check, check) == 0)
            return meanings[i].advice;
    return "Somebody else's token, or another name: check the options username and match.";
}

/* Seconds since 1970 as people write them; the text itself where it is no such number. */
static const char *date_of(const char *text, char *out, size_t size)
{
    size_t digits = strspn(text, "0123456789");
    time_t time = digits < 12 ? (time_t)strtoll(text, NULL, 10) : 0;
    struct tm parts;

    if (digits == 0 || digits >= 12 || text[digits] != '\0' || gmtime_r(&time, &parts) == NULL ||
        strftime(out, size, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
        return text;
    return out;
}

/* One check, as the helper puts it: its name, how it ended, what was expected and what was found. */
static void add_check(const struct inquiry *inquiry, const char *const strings[4])
{
    bool refused = strncmp(strings[1], "refused", 7) == 0, unverified = strstr(strings[1], "unverified") != NULL;
    const char *expected = strings[2], *found = strings[3];
    char check[96], wanted[64], date[64], found_date[64];

    /* Without the pool's signature a claim is what whoever made the token has written. */
    snprintf(check, sizeof check, "%s%s", strings[0], unverified ? " (unverified)" : "");
    if (strcmp(strings[0], "exp") == 0) {
        found = date_of(found, found_date, sizeof found_date);
        expected += strcspn(expected, "0123456789");
        snprintf(wanted, sizeof wanted, "after %s", date_of(expected, date, sizeof date));
        expected = wanted;
    }
    inquiry_add(inquiry,
                refused      ? LEVEL_FINDING
                : unverified ? LEVEL_NOTE
                             : LEVEL_OK,
                check, expected, found, refused ? meaning_of(strings[0]) : NULL);
}

/* All that the helper checked the last token for; 0 if there was none. */
static uint32_t add_checks(const struct inquiry *inquiry, const struct result_message *result)
{
    struct login *login = inquiry->login;
    const struct list *list = &result->choices;
    const char *match = login->options.match;
    bool matched = strcmp(match, "username") == 0 || strcmp(match, "sub") == 0;
    uint32_t count = list->count / 4;

    for (uint32_t i = 0; i < count; i++) {
        add_check(inquiry, list->items + (size_t)4 * i);
        matched = matched || strcmp(list->items[4 * i], match) == 0;
    }
    if (count > 0 && !matched)
        inquiry_add(inquiry, LEVEL_NOTE, match, login->username, NULL,
                    "Cognito was not asked for this attribute: the token is refused already.");
    return count;
}

/* Sources that have something in a login alone. */
static const char *why_not_here(const char *item)
{
    if (strncmp(item, "env:", 4) == 0)
        return "An earlier module of the login sets this variable: it cannot be looked at from outside.";
    if (strcmp(item, "authtok") == 0)
        return "An earlier module of the login asks for the token: it cannot be looked at from outside.";
    if (strncmp(item, "signin", 6) != 0 && (strstr(item, "%r") != NULL || strstr(item, "%t") != NULL))
        return "%r and %t are empty outside of a login: this path cannot be looked at.";
    return NULL;
}

/* Adds what came of a source, and of the token that it gave. */
static void add_outcome(struct inquiry *inquiry, const char *item, enum error error)
{
    struct login *login = inquiry->login;
    const struct report_message about = {.about = "token"};
    deadline_t deadline = deadline_in((int64_t)login->options.request_timeout * 1000);
    struct result_message result;

    /* Not by login_call(), which would forget what is known of the error. */
    if (helper_call(login->helper, MSG_REPORT, &about, deadline, &result) != ERR_NONE || result.choices.count == 0) {
        inquiry_add_setup_error(inquiry, "token", item, error);
        return;
    }
    inquiry_add(inquiry, LEVEL_OK, "token", item, "gave a token", NULL);
    add_checks(inquiry, &result);
    if (error != ERR_NONE && error != ERR_BAD_TOKEN)
        inquiry_add_error(inquiry, "GetUser", NULL, error);
}

/* True when the search ends with this source; `*error` is what it came to. */
static bool try_source(struct inquiry *inquiry, const char *item, enum error *error)
{
    const char *why = why_not_here(item);
    bool absent;

    if (why != NULL) {
        inquiry_add(inquiry, LEVEL_NOTE, "token", item, "not looked at", why);
        return false;
    }
    *error = token_obtain_from(inquiry->login, item, &absent);
    if (absent)
        inquiry_add(inquiry, LEVEL_NOTE, "token", item, "none there", "A login goes on to the next source, if any.");
    else
        add_outcome(inquiry, item, *error);
    return !absent;
}

bool inquiry_take_token(struct inquiry *inquiry)
{
    const struct strings *items = &inquiry->login->options.token;
    enum error error = ERR_NO_TOKEN;
    bool unseen = false;

    for (size_t i = 0; i < items->count; i++) {
        if (try_source(inquiry, items->items[i], &error))
            return error == ERR_NONE;
        unseen |= why_not_here(items->items[i]) != NULL;
    }
    inquiry->login->detail[0] = '\0';
    if (unseen)
        inquiry_add(inquiry, LEVEL_NOTE, "token", NULL, "none to look at",
                    "A login may have one: the line that it logs says what came of it.");
    else
        inquiry_add_error(inquiry, "token", NULL, ERR_NO_TOKEN);
    return false;
}
