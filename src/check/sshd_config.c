#include "check/sshd_config.h"

#include "check/file.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SSH_FOLDER    "/etc/ssh/"
#define INCLUDES      16
#define BLANKS        " \t\r\n\f"
#define SETTINGS_MOST 65536

static const struct {
    const char *name;
    enum keyword keyword;
} names[] = {
    {"UsePAM", KEY_USE_PAM},
    {"PAMServiceName", KEY_SERVICE},
    {"LoginGraceTime", KEY_GRACE},
    {"AuthenticationMethods", KEY_METHODS},
    {"KbdInteractiveAuthentication", KEY_KBDINT},
    {"ChallengeResponseAuthentication", KEY_KBDINT},
    {"SkeyAuthentication", KEY_KBDINT},
    {"PasswordAuthentication", KEY_PASSWORD},
    {"PubkeyAuthentication", KEY_PUBKEY},
    {"DSAAuthentication", KEY_PUBKEY},
    {"HostbasedAuthentication", KEY_HOSTBASED},
    {"GSSAPIAuthentication", KEY_GSSAPI},
    {"PermitEmptyPasswords", KEY_EMPTY},
    {"PermitRootLogin", KEY_ROOT},
};

/* OpenSSH's own. `global`: it has no meaning in a Match block. */
static const struct {
    const char *value;
    bool global;
} defaults[KEYWORDS] = {
    [KEY_USE_PAM] = {"no", true},
    [KEY_SERVICE] = {"sshd", true},
    [KEY_GRACE] = {"120", true},
    [KEY_METHODS] = {"any", false},
    [KEY_KBDINT] = {"yes", false},
    [KEY_PASSWORD] = {"yes", false},
    [KEY_PUBKEY] = {"yes", false},
    [KEY_HOSTBASED] = {"no", false},
    [KEY_GSSAPI] = {"no", false},
    [KEY_EMPTY] = {"no", false},
    [KEY_ROOT] = {"prohibit-password", false},
};

/* Reading one file. */
struct reading {
    struct sshd_config *config;
    const char *file;
    unsigned int number;
    size_t block;
    int depth;
    char *why;
    size_t size;
};

static bool fail(const struct reading *reading, const char *file, const char *what)
{
    snprintf(reading->why, reading->size, "%s: %s", file, what);
    return false;
}

/* Cuts the next word off, without its quotes; a comment ends the line. NULL: there is none. */
static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, BLANKS);
    char *to = word;
    char *from = word;
    char quote = '\0';

    if (*word == '\0' || *word == '#')
        return NULL;
    for (; *from != '\0' && (quote != '\0' || strchr(BLANKS, *from) == NULL); from++) {
        if (quote == '\0' ? *from == '"' || *from == '\'' : *from == quote) {
            quote = quote == '\0' ? *from : '\0';
            continue;
        }
        if (*from == '\\' &&
            (from[1] == '"' || from[1] == '\'' || from[1] == '\\' || (quote == '\0' && from[1] == ' ')))
            from++;
        *to++ = *from;
    }
    *rest = *from == '\0' ? from : from + 1;
    *to = '\0';
    return word;
}

/* Cuts the keyword off: one = may follow it. */
static char *next_keyword(char **rest)
{
    char *word = *rest + strspn(*rest, BLANKS);
    size_t length = strcspn(word, BLANKS "=");
    char *after = word + length + strspn(word + length, BLANKS);

    if (*word == '\0' || *word == '#')
        return NULL;
    if (*after == '=')
        after++;
    *rest = after;
    /* There is a byte to end it at, unless nothing follows. */
    word[length] = '\0';
    return word;
}

/* The words that are left, with one blank between them; the caller frees. */
static char *join_words(char *rest)
{
    char *joined = calloc(1, strlen(rest) + 2);
    char *end = joined;

    for (char *word; joined != NULL && (word = next_word(&rest)) != NULL;)
        end = stpcpy(stpcpy(end, end == joined ? "" : " "), word);
    return joined;
}

static bool add_setting(const struct reading *reading, enum keyword keyword, char *rest)
{
    struct sshd_config *config = reading->config;
    struct setting *more = reallocarray(config->settings, config->setting_count + 1, sizeof *more);
    struct setting setting = {keyword, reading->block, join_words(rest), strdup(reading->file), reading->number};

    if (more != NULL)
        config->settings = more;
    if (more != NULL && setting.value != NULL && setting.file != NULL && config->setting_count < SETTINGS_MOST) {
        more[config->setting_count++] = setting;
        return true;
    }
    free(setting.value);
    free(setting.file);
    return fail(reading, reading->file, "out of memory, or too long");
}

/* Whether it is for certain users or groups: not for all of them, whoever may be left out. */
static bool is_for_users(const char *criteria)
{
    bool named = false;

    for (const char *word = criteria; *word != '\0';) {
        size_t length = strcspn(word, " ");
        const char *patterns = word + length + strspn(word + length, " ");

        named |=
            (length == 4 && strncasecmp(word, "user", 4) == 0) || (length == 5 && strncasecmp(word, "group", 5) == 0);
        length = strcspn(patterns, " ");
        for (const char *item = patterns; item < patterns + length; item += strcspn(item, ", ") + 1)
            if (*item == '*' && strcspn(item, ", ") == 1)
                return false;
        word = patterns + length + strspn(patterns + length, " ");
    }
    return named;
}

/* Begins a block, inside of the one where an included file stands. */
static bool add_block(struct reading *reading, char *rest)
{
    struct sshd_config *config = reading->config;
    struct block *more = reallocarray(config->blocks, config->block_count + 1, sizeof *more);
    struct block block = {join_words(rest), false, false};

    if (more != NULL)
        config->blocks = more;
    if (more == NULL || block.criteria == NULL || config->block_count >= SETTINGS_MOST) {
        free(block.criteria);
        return fail(reading, reading->file, "out of memory, or too long");
    }
    block.for_all = strcasecmp(block.criteria, "all") == 0;
    block.for_users = is_for_users(block.criteria);
    reading->block = config->block_count;
    more[config->block_count++] = block;
    return true;
}

static bool read_file(struct reading *reading);

/* Files that do not exist are none that sshd would miss. */
static bool include(const struct reading *reading, const char *pattern)
{
    glob_t found = {0};
    char *path = NULL;
    bool read = asprintf(&path, "%s%s", *pattern == '/' ? "" : SSH_FOLDER, pattern) >= 0;

    if (!read)
        return fail(reading, reading->file, "out of memory");
    if (reading->depth >= INCLUDES)
        read = fail(reading, reading->file, "files that include each other, without an end");
    else if (glob(path, 0, NULL, &found) == 0)
        for (size_t i = 0; read && i < found.gl_pathc; i++) {
            struct reading deeper = *reading;

            deeper.file = found.gl_pathv[i];
            deeper.number = 0;
            deeper.depth++;
            read = read_file(&deeper);
        }
    globfree(&found);
    free(path);
    return read;
}

static bool read_line(struct reading *reading, char *rest)
{
    const char *keyword = next_keyword(&rest);

    if (keyword == NULL)
        return true;
    if (strcasecmp(keyword, "Match") == 0)
        return add_block(reading, rest);
    if (strcasecmp(keyword, "Include") == 0) {
        bool read = true;

        for (const char *pattern; read && (pattern = next_word(&rest)) != NULL;)
            read = include(reading, pattern);
        return read;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i].name, keyword) == 0)
            return add_setting(reading, names[i].keyword, rest);
    return true;
}

static bool read_file(struct reading *reading)
{
    size_t length = 0;
    char *text = file_read(reading->file, &length);
    char *line = text;
    bool read = true;

    if (text == NULL)
        return fail(reading, reading->file, strerrordesc_np(errno));
    while (read && line < text + length) {
        char *end = strchrnul(line, '\n');
        bool more = *end != '\0';

        *end = '\0';
        reading->number++;
        read = read_line(reading, line);
        line = more ? end + 1 : text + length;
    }
    free(text);
    return read;
}

bool sshd_config_read(struct sshd_config *config, const char *file, char *why, size_t size)
{
    struct reading reading = {.config = config, .file = file, .why = why, .size = size};
    char none[] = "";

    *config = (struct sshd_config){.file = file};
    if (!add_block(&reading, none))
        return false;
    return read_file(&reading);
}

void sshd_config_free(struct sshd_config *config)
{
    for (size_t i = 0; i < config->setting_count; i++) {
        free(config->settings[i].value);
        free(config->settings[i].file);
    }
    for (size_t i = 0; i < config->block_count; i++)
        free(config->blocks[i].criteria);
    free(config->settings);
    free(config->blocks);
    *config = (struct sshd_config){.file = NULL};
}

/* The first line that says it in a Match block which holds, or else before all of them. */
static const struct setting *find_setting(const struct sshd_config *config, enum keyword keyword, size_t block)
{
    const struct setting *global = NULL;

    for (size_t i = 0; i < config->setting_count; i++) {
        const struct setting *setting = &config->settings[i];

        if (setting->keyword != keyword)
            continue;
        if (setting->block == 0)
            global = global == NULL ? setting : global;
        else if (!defaults[keyword].global && (setting->block == block || config->blocks[setting->block].for_all))
            return setting;
    }
    return global;
}

const char *sshd_config_value(const struct sshd_config *config, enum keyword keyword, size_t block, const char **file,
                              unsigned int *number)
{
    const struct setting *setting = find_setting(config, keyword, block);

    *file = setting == NULL ? config->file : setting->file;
    *number = setting == NULL ? 0 : setting->number;
    return setting == NULL ? defaults[keyword].value : setting->value;
}

bool sshd_config_says(const struct sshd_config *config, size_t block, enum keyword keyword)
{
    for (size_t i = 0; i < config->setting_count; i++) {
        const struct setting *setting = &config->settings[i];

        if (setting->block == block && !defaults[setting->keyword].global &&
            (keyword == KEYWORDS || setting->keyword == keyword))
            return true;
    }
    return false;
}
