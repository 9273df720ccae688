#include "check/findings.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MOST 2048

static const struct {
    const char *name;
    enum level level;
    const char *what, *advice;
} rules[RULE_COUNT] = {
#define RULE(id, name, level, what, advice) {name, LEVEL_##level, what, advice},
#include "check/rules.def"
#undef RULE
};

/* Copies `text` with the texts in their places, and `more` after it. */
static void expand(char *out, size_t size, const char *text, const struct texts *texts, const char *more)
{
    const char *const places[] = {texts->first, texts->second, texts->third};
    FILE *stream = fmemopen(out, size, "w");

    *out = '\0';
    if (stream == NULL)
        return;
    for (; text != NULL && *text != '\0'; text++) {
        size_t place = *text == '%' ? (size_t)(text[1] - '1') : SIZE_MAX;

        if (place >= sizeof places / sizeof *places) {
            fputc(*text, stream);
            continue;
        }
        if (places[place] != NULL)
            fputs(places[place], stream);
        text++;
    }
    if (more != NULL)
        fputs(more, stream);
    fclose(stream);
    out[size - 1] = '\0';
}

/* True when the rule was said of that before. */
static bool was_said(struct check *check, enum rule rule, const char *of)
{
    struct said *more;

    for (size_t i = 0; i < check->said_count; i++)
        if (check->said[i].rule == rule && strcmp(check->said[i].of, of) == 0)
            return true;
    more = reallocarray(check->said, check->said_count + 1, sizeof *more);
    if (more != NULL) {
        check->said = more;
        more[check->said_count] = (struct said){rule, strdup(of)};
    }
    if (more == NULL || more[check->said_count].of == NULL)
        check->failed = true;
    else
        check->said_count++;
    return false;
}

void check_say(struct check *check, enum rule rule, const char *file, unsigned int number, const struct texts *texts)
{
    char where[TEXT_MOST];
    char of[2 * TEXT_MOST];
    char what[TEXT_MOST];
    char advice[TEXT_MOST];

    if (number == 0)
        snprintf(where, sizeof where, "%s", file);
    else
        snprintf(where, sizeof where, "%s:%u", file, number);
    /* The ways to one line are many, and told once; in sshd one line may be to blame for several things. */
    snprintf(of, sizeof of, "%s %s", where, rule >= RULE_SSHD_UNKNOWN && texts->first != NULL ? texts->first : "");
    if (was_said(check, rule, of))
        return;
    expand(what, sizeof what, rules[rule].what, texts, texts->more);
    expand(advice, sizeof advice, rules[rule].advice, texts, NULL);
    check->count[rule]++;
    report_row(check->report, rules[rule].level, (const char *const[]){where, rules[rule].name, what, advice});
}

void check_say_line(struct check *check, enum rule rule, const struct line *line, const struct texts *texts)
{
    check_say(check, rule, line == NULL ? check->service->file : line->file, line == NULL ? 0 : line->number, texts);
}

char *check_show_line(char *out, size_t size, enum phase phase, const struct line *line)
{
    bool bracket = strpbrk(line->control, " =") != NULL || *line->control == '\0';

    snprintf(out, size, "%s %s%s%s %s", phase_name(phase), bracket ? "[" : "", line->control, bracket ? "]" : "",
             line->module);
    return out;
}

char *check_show_place(char *out, size_t size, const struct line *line)
{
    snprintf(out, size, "%s:%u", line->file, line->number);
    return out;
}

void check_free(struct check *check)
{
    for (size_t i = 0; i < check->said_count; i++)
        free(check->said[i].of);
    free(check->said);
    for (size_t phase = 0; phase < PHASES; phase++)
        free(check->policies[phase]);
    *check = (struct check){.report = NULL};
}
