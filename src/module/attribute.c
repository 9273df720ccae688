#include "module/attribute.h"

#include "common/text.h"
#include "module/ask.h"
#include "module/say.h"

#include <stdio.h>
#include <string.h>

/* The option knows no more. */
#define ATTRIBUTES_MOST 2

struct candidate {
    const char *name; /* borrowed from the options */
    char masked[64];
};

/* The configured name that Cognito's is, or NULL: nothing but that is taken from a reply. */
static const char *configured(const struct login *login, const char *name)
{
    const struct strings *names = &login->options.attribute;

    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return names->items[i];
    return NULL;
}

/* Takes from the look-up what the account has and `when` leaves to be confirmed. `*present` counts what it has. */
static size_t take_candidates(const struct login *login, const struct list *found,
                              struct candidate candidates[ATTRIBUTES_MOST], size_t *present)
{
    size_t count = 0;

    for (uint32_t i = 0; i + 2 < found->count && *present < ATTRIBUTES_MOST; i += 3) {
        const char *name = configured(login, found->items[i]);
        bool verified = strcmp(found->items[i + 1], "true") == 0;

        if (name == NULL)
            continue;
        ++*present;
        if (verified && login->options.when == WHEN_UNVERIFIED)
            continue;
        candidates[count].name = name;
        text_printable(candidates[count].masked, sizeof candidates[count].masked, found->items[i + 2]);
        count++;
    }
    return count;
}

static enum error look_up(struct login *login, struct candidate candidates[ATTRIBUTES_MOST], size_t *count,
                          size_t *present)
{
    const struct strings *names = &login->options.attribute;
    struct lookup_message message = {.attributes = {.count = (uint32_t)names->count}};
    struct result_message result;
    enum error error;

    for (size_t i = 0; i < names->count; i++)
        message.attributes.items[i] = names->items[i];
    error = login_call(login, MSG_LOOKUP, &message, &result);
    if (error == ERR_NONE)
        *count = take_candidates(login, &result.choices, candidates, present);
    return error;
}

static enum error ask_which(struct login *login, const struct candidate *candidates, size_t count)
{
    char lead[256];
    size_t number = 0;
    enum error error;

    snprintf(lead, sizeof lead, "%s", say(N_("Where should the code be sent?")));
    for (size_t i = 0; i < count; i++) {
        bool phone = strcmp(candidates[i].name, "phone_number") == 0;
        size_t length = strlen(lead);
        char choice[128];

        text_fill(choice, sizeof choice, say(phone ? N_("SMS to %s") : N_("E-mail to %s")), candidates[i].masked);
        snprintf(lead + length, sizeof lead - length, "\n  %zu  %s", i + 1, choice);
    }
    error = ask_number(login, lead, count, &number);
    if (error == ERR_NONE)
        login->attribute = candidates[number - 1].name;
    return error;
}

enum error attribute_choose(struct login *login)
{
    const struct options *options = &login->options;
    struct candidate candidates[ATTRIBUTES_MOST];
    size_t count = 0, present = 0;
    enum error error;

    login->attribute = options->attribute.items[0];
    if (options->attribute.count == 1 && options->when == WHEN_ALWAYS)
        return ERR_NONE;
    error = look_up(login, candidates, &count, &present);
    if (error != ERR_NONE)
        return error;
    if (present == 0)
        return ERR_NO_ATTRIBUTE;
    if (count == 0) {
        login->state = LOGIN_NOT_NEEDED;
        return ERR_NONE;
    }
    login->attribute = candidates[0].name;
    return count == 1 ? ERR_NONE : ask_which(login, candidates, count);
}
