/*
 * Any text as a config file, any words as arguments: a line that begins with 'a' is an argument, one with 'n' says that
 * the file is missing, one with 'x' that it is unsafe, one
 * with 'y' when memory is short; the other lines, without their first byte, are the file.
 */
#include "fuzz.h"
#include "script.h"

#include "fakes/file.h"
#include "fakes/memory.h"

#include "common/options.h"
#include "common/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MOST 40

static enum safe_result file_result;
static char file[64 * 1024];

static enum safe_result read_file(const char *path, size_t most, struct secret *content)
{
    HOLDS(*path == '/');
    if (file_result != SAFE_OK)
        return file_result;
    return strlen(file) <= most && secret_set(content, file, strlen(file)) ? SAFE_OK : SAFE_REFUSED;
}

/* What the types of options.def promise of a value that was taken. */

static void check_text(const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        HOLDS((unsigned char)*text >= ' ' || *text == '\t');
}

static void check_name(const char *value, size_t least, size_t most)
{
    check_text(value);
    HOLDS(value == NULL || (strlen(value) >= least && strlen(value) <= most && *value != '-' && *value != '.'));
    HOLDS(value == NULL || strpbrk(value, "/% =\"'") == NULL);
}

static void check_path(const char *value, size_t least, size_t most)
{
    check_text(value);
    HOLDS(value == NULL || (*value == '/' && strchr(value, ' ') == NULL && least == most));
}

static void check_url(const char *value, size_t least, size_t most)
{
    check_text(value);
    HOLDS(value == NULL || (strncmp(value, "http", 4) == 0 && strstr(value, "://") != NULL && least == most));
    HOLDS(value == NULL || (strpbrk(value, " @?#\\") == NULL && value[strlen(value) - 1] != '/'));
}

static void check_template(const char *value, size_t least, size_t most)
{
    check_text(value);
    HOLDS(value != NULL && template_is_valid(value) && least == most);
}

static void check_claim(const char *value, size_t least, size_t most)
{
    check_text(value);
    HOLDS(value != NULL && *value != '\0' && strlen(value) <= 32 && least == most);
}

static void check_number(unsigned int value, unsigned int least, unsigned int most)
{
    HOLDS(value >= least && value <= most);
}

static void check_choice(unsigned int value, unsigned int least, unsigned int most)
{
    HOLDS(value < 2 && least == most);
}

static void check_flag(bool value, unsigned int least, unsigned int most)
{
    HOLDS(least == most && (value || !value));
}

static void check_words(struct strings value, size_t least, size_t most)
{
    HOLDS(value.count <= STRINGS_MOST && least == most);
    for (size_t i = 0; i < value.count; i++) {
        check_text(value.items[i]);
        HOLDS(*value.items[i] != '\0' && *value.items[i] != ' ');
        for (size_t j = 0; j < i; j++)
            HOLDS(strcmp(value.items[i], value.items[j]) != 0);
    }
}

#define check_boolean  check_flag
#define check_names    check_words
#define check_sources  check_words
#define check_metadata check_words

static void check_whole(const struct options *options)
{
#define OPTION(key, type, field, value, least, most, choices) check_##type(options->field, least, most);
#include "common/options.def"
#undef OPTION
    HOLDS(options->user_pool_id != NULL && options->client_id != NULL);
    HOLDS(strncmp(options->endpoint, "https://", 8) == 0 && strncmp(options->jwks_url, "https://", 8) == 0);
    HOLDS(options->issuer != NULL && options->token.count > 0 && options->attribute.count > 0);
}

/* Each option as pam-cognito-check shows it. */
static void check_shown(const struct options *options)
{
    for (int place = 0; place < OPTIONS_COUNT; place++) {
        struct option option = {NULL, NULL, {NULL, 0}};

        if (options_at(options, (enum option_place)place, &option)) {
            HOLDS(option.key != NULL && (option.value == NULL || option.origin.from != NULL));
            check_text(option.value);
        }
        option_free(&option);
    }
}

static void count_faults(void *data, const char *why)
{
    HOLDS(*why != '\0' && strchr(why, '\n') == NULL);
    ++*(unsigned int *)data;
}

/* The same file, read to its end: it is right if nothing was found, and then only. */
static void check_reading(void)
{
    unsigned int faults = 0;
    struct options options;

    HOLDS(options_read(&options, "/etc/file.conf", count_faults, &faults) == (faults == 0));
    if (faults == 0)
        check_whole(&options);
    check_shown(&options);
    options_free(&options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *arguments[ARGUMENTS_MOST];
    char why[OPTIONS_WHY] = "";
    struct options options;
    struct script script;
    const char *line;
    int count = 0;
    char kind;

    file_result = SAFE_OK;
    *file = '\0';
    fake_file = read_file;
    if (script_read(&script, data, size) && size < sizeof file) {
        for (const char *rest; count < ARGUMENTS_MOST && (rest = script_next(&script, "a", NULL)) != NULL;)
            arguments[count++] = rest;
        if (script_next(&script, "nx", &kind) != NULL)
            file_result = kind == 'n' ? SAFE_ABSENT : SAFE_REFUSED;
        line = script_next(&script, "y", NULL);
        fake_memory(line == NULL ? 0 : strtol(line, NULL, 10));
        for (size_t i = 0, at = 0; i < script.count; i++)
            if (script.lines[i].kind != '\0')
                at += (size_t)sprintf(file + at, "%s\n", script.lines[i].rest);
        if (options_load(&options, "/etc/file.conf", count, arguments, why, sizeof why))
            check_whole(&options);
        else
            HOLDS(*why != '\0' && strchr(why, '\n') == NULL);
        options_free(&options);
        check_reading();
        fake_memory(0);
    }
    script_free(&script);
    return 0;
}
