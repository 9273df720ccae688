/*
 * Any text as what pam-cognito-check reads: the first byte of a line says of which file it is. '1' is the service's
 * own, '2' that of `other`, '3' every one that is included, 's' sshd_config, 'i' what that includes; of 'd' there can
 * be no reading, and 'y' says when memory is short.
 */
#include "fuzz.h"
#include "script.h"

#include "fakes/memory.h"

#include "check/file.h"
#include "check/pamd.h"
#include "check/sshd_config.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct script script;
static unsigned int reads;

static char kind_of(const char *path)
{
    if (strstr(path, "sshd_config.d") != NULL)
        return 'i';
    if (strstr(path, "sshd_config") != NULL)
        return 's';
    if (strcmp(path, "/pam.d/service") == 0)
        return '1';
    return strstr(path, "/other") != NULL ? '2' : '3';
}

/* In the place of check/file.c. The same each time, as files are. */
char *file_read(const char *path, size_t *length)
{
    char kind = kind_of(path), *text = calloc(1, 16384);
    bool found = false;

    HOLDS(text != NULL && ++reads < 100000);
    *length = 0;
    for (size_t i = 0; i < script.count; i++) {
        if (script.lines[i].kind != kind || *length + strlen(script.lines[i].rest) + 2 > 16384)
            continue;
        *length += (size_t)sprintf(text + *length, "%s\n", script.lines[i].rest);
        found = true;
    }
    if (found)
        return text;
    free(text);
    errno = script.count > 0 && script.lines[0].kind == 'd' ? EACCES : ENOENT;
    return NULL;
}

int glob(const char *pattern, int flags, int (*fault)(const char *path, int failure), glob_t *found)
{
    static char path[] = "/etc/ssh/sshd_config.d/x";
    static char *paths[] = {path, NULL};

    (void)flags;
    (void)fault;
    *found = (glob_t){.gl_pathc = 1, .gl_pathv = paths};
    return strchr(pattern, '*') != NULL ? 0 : GLOB_NOMATCH;
}

void globfree(glob_t *found)
{
    *found = (glob_t){.gl_pathc = 0};
}

static void check_service(bool by_path)
{
    const struct places places = {.first = "/pam.d", .alone = true};
    struct service service;
    char why[512] = "";

    if (service_read(&service, by_path ? NULL : "service", by_path ? "/pam.d/service" : NULL, &places, why, sizeof why))
        for (int phase = 0; phase < PHASES; phase++)
            for (size_t i = 0; i < service.stacks[phase].count; i++) {
                const struct line *line = &service.stacks[phase].lines[i];

                HOLDS(line->module != NULL && line->control != NULL && line->file != NULL);
                HOLDS(line->level >= 0 && line->level <= LEVELS && line->argc >= 0);
                HOLDS(strchr(line->module, '/') == NULL || line->kind != LINE_MODULE);
            }
    else
        HOLDS(*why != '\0');
    service_free(&service);
}

static void check_sshd(void)
{
    struct sshd_config config;
    char why[512] = "";
    unsigned int number;
    const char *file;

    if (!sshd_config_read(&config, "/etc/ssh/sshd_config", why, sizeof why))
        HOLDS(*why != '\0');
    else
        for (size_t block = 0; block < config.block_count; block++)
            for (int keyword = 0; keyword < KEYWORDS; keyword++) {
                sshd_config_says(&config, block, (enum keyword)keyword);
                HOLDS(sshd_config_value(&config, (enum keyword)keyword, block, &file, &number) != NULL && file != NULL);
            }
    for (size_t i = 0; i < config.setting_count; i++)
        HOLDS(config.settings[i].keyword < KEYWORDS && config.settings[i].block < config.block_count);
    sshd_config_free(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line;

    reads = 0;
    if (script_read(&script, data, size)) {
        line = script_next(&script, "y", NULL);
        fake_memory(line == NULL ? 0 : strtol(line, NULL, 10));
        check_service(false);
        check_service(true);
        check_sshd();
        fake_memory(0);
    }
    script_free(&script);
    return 0;
}
