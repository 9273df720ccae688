#include "check/sshd.h"

#include "check/sshd_config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Where distributions have it. */
static const char *const files[] = {"/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config"};

enum method { METHOD_KBDINT, METHOD_PASSWORD, METHOD_PUBKEY, METHOD_HOSTBASED, METHOD_GSSAPI, METHODS };

/* `thing`: what lets in by this method without PAM, or NULL. */
static const struct {
    const char *name;
    enum keyword keyword;
    const char *thing;
} methods[METHODS] = {
    [METHOD_KBDINT] = {"keyboard-interactive", KEY_KBDINT, NULL},
    [METHOD_PASSWORD] = {"password", KEY_PASSWORD, NULL},
    [METHOD_PUBKEY] = {"publickey", KEY_PUBKEY, "a public key"},
    [METHOD_HOSTBASED] = {"hostbased", KEY_HOSTBASED, "an account on a trusted host"},
    [METHOD_GSSAPI] = {"gssapi-with-mic", KEY_GSSAPI, "a Kerberos ticket"},
};

#define BIT(method) (1U << (method))

/* Longer than this no login lasts; LoginGraceTime 0 is without an end. */
#define ENDLESS UINT_MAX

/* What sshd does for those whom one block is for. */
struct side {
    struct check *check;
    const struct sshd_config *config;
    size_t block;
    char whom[256];     /* ", for Match User bob", or "" */
    bool code_alone;    /* PAM asks for nothing but the code */
    bool refuses_keys;  /* the guard denies without a code step */
    bool complained;    /* a way in was found fault with */
    bool only_keyboard; /* no way in is without keyboard-interactive */
};

static const char *value(const struct side *side, enum keyword keyword)
{
    const char *file;
    unsigned int number;

    return sshd_config_value(side->config, keyword, side->block, &file, &number);
}

static bool is_on(const struct side *side, enum keyword keyword)
{
    const char *word = value(side, keyword);

    return strcasecmp(word, "yes") == 0 || strcasecmp(word, "true") == 0;
}

/* Says a rule about the line that says the keyword. */
static void say(struct side *side, enum rule rule, enum keyword keyword, const struct texts *texts)
{
    const char *file;
    unsigned int number;

    sshd_config_value(side->config, keyword, side->block, &file, &number);
    check_say(side->check, rule, file, number, texts);
}

static void complain(struct side *side, enum rule rule, enum keyword keyword, const char *first)
{
    side->complained = true;
    say(side, rule, keyword, &(struct texts){.first = first, .more = side->whom});
}

/* The methods of a list, or 0 where one of them is not to be had, for then sshd leaves the list out. */
static unsigned int read_list(const struct side *side, const char *list, size_t length)
{
    unsigned int set = 0;

    for (const char *end = list + length; list < end;) {
        size_t word = strcspn(list, ", ");
        size_t name = strcspn(list, ":, ");
        enum method method = METHOD_KBDINT;

        while (method < METHODS &&
               (strlen(methods[method].name) != name || strncmp(list, methods[method].name, name) != 0))
            method++;
        if (method == METHODS || !is_on(side, methods[method].keyword))
            return 0;
        set |= BIT(method);
        list += word + 1;
    }
    return set;
}

/* Who has one thing, and is asked nothing by PAM. */
static void judge_key(struct side *side, enum method method, enum keyword keyword)
{
    const struct block *block = &side->config->blocks[side->block];
    const char *thing = methods[method].thing;

    side->only_keyboard = false;
    if (side->refuses_keys)
        complain(side, RULE_SSHD_KEY_REFUSED, keyword, thing);
    else if (keyword == KEY_METHODS && sshd_config_says(side->config, side->block, KEY_METHODS) && block->for_users)
        say(side, RULE_SSHD_KEY_EXEMPT, keyword, &(struct texts){block->criteria, thing, NULL, NULL});
    else
        complain(side, RULE_SSHD_KEY_ALONE, keyword, thing);
}

/* One way in: all methods of the set. `list` is how it is written, or NULL where each method is a way of its own. */
static void judge_list(struct side *side, unsigned int set, const char *list)
{
    enum method method = METHOD_PUBKEY;

    while (method < METHODS && (set & BIT(method)) == 0)
        method++;
    if ((set & BIT(METHOD_PASSWORD)) != 0)
        complain(side, list == NULL ? RULE_SSHD_PASSWORD : RULE_SSHD_PASSWORD_LIST,
                 list == NULL ? KEY_PASSWORD : KEY_METHODS, list);
    else if ((set & BIT(METHOD_KBDINT)) == 0)
        judge_key(side, method, list == NULL ? methods[method].keyword : KEY_METHODS);
    else if (method == METHODS && side->code_alone)
        complain(side, RULE_SSHD_CODE_ALONE, KEY_METHODS, NULL);
}

static void judge_ways_in(struct side *side)
{
    const char *lists = value(side, KEY_METHODS);

    if (strcmp(lists, "any") == 0) {
        for (enum method method = METHOD_KBDINT; method < METHODS; method++)
            if (is_on(side, methods[method].keyword))
                judge_list(side, BIT(method), NULL);
        return;
    }
    while (*lists != '\0') {
        size_t length = strcspn(lists, " ");
        unsigned int set = read_list(side, lists, length);
        char list[256];

        snprintf(list, sizeof list, "%.*s", (int)length, lists);
        if (set != 0)
            judge_list(side, set, list);
        lists += length + strspn(lists + length, " ");
    }
}

static void judge_root(struct side *side)
{
    const char *word = value(side, KEY_ROOT);

    if (side->only_keyboard && strcasecmp(word, "yes") != 0 && strcasecmp(word, "no") != 0)
        say(side, RULE_SSHD_ROOT, KEY_ROOT, &(struct texts){.first = word, .more = side->whom});
}

/* Seconds, of 300, 5m, 1h30m: sshd_config(5), TIME FORMATS. */
static unsigned int read_time(const char *text)
{
    static const char letters[] = "smhdw";
    static const unsigned int seconds[] = {1, 60, 3600, 86400, 604800};
    unsigned long sum = 0;

    while (*text >= '0' && *text <= '9') {
        char *end;
        unsigned long number = strtoul(text, &end, 10);
        const char *letter = *end == '\0' ? NULL : strchr(letters, *end | 0x20);

        if (number > INT_MAX || sum > INT_MAX)
            return ENDLESS;
        sum += number * (letter == NULL ? 1 : seconds[letter - letters]);
        text = letter == NULL ? end : end + 1;
    }
    return sum == 0 || sum > INT_MAX ? ENDLESS : (unsigned int)sum;
}

static void judge_grace(struct side *side, unsigned int code_timeout)
{
    unsigned int grace = read_time(value(side, KEY_GRACE));
    char texts[3][16];

    if (grace >= code_timeout)
        return;
    snprintf(texts[0], sizeof texts[0], "%u", grace);
    snprintf(texts[1], sizeof texts[1], "%u", code_timeout);
    snprintf(texts[2], sizeof texts[2], "%u", code_timeout + 60);
    side->complained = true;
    say(side, RULE_SSHD_GRACE, KEY_GRACE, &(struct texts){texts[0], texts[1], texts[2], NULL});
}

/* True when nothing was found fault with. */
static bool judge_block(struct side *side)
{
    const char *criteria = side->config->blocks[side->block].criteria;

    snprintf(side->whom, sizeof side->whom, "%s%s", side->block > 0 ? ", for Match " : "", criteria);
    side->complained = false;
    side->only_keyboard = true;
    if (is_on(side, KEY_EMPTY))
        complain(side, RULE_SSHD_EMPTY, KEY_EMPTY, NULL);
    judge_ways_in(side);
    /* Who is exempt in a block of his own need not be asked. */
    if (!is_on(side, KEY_KBDINT) && (side->block == 0 || side->only_keyboard))
        complain(side, RULE_SSHD_NO_KBDINT, KEY_KBDINT, NULL);
    judge_root(side);
    return !side->complained;
}

static void judge_config(struct check *check, const struct sshd *sshd, const struct sshd_config *config)
{
    struct side side = {
        .check = check,
        .config = config,
        .code_alone = check_code_is_alone(check),
        .refuses_keys = !check_account_without_record(check),
    };
    const char *service = value(&side, KEY_SERVICE);
    bool clean;

    if (!is_on(&side, KEY_USE_PAM)) {
        say(&side, RULE_SSHD_NO_PAM, KEY_USE_PAM, &(struct texts){.first = NULL});
        return;
    }
    if (strcmp(service, check->name) != 0 && strcmp(service, "sshd") != 0)
        say(&side, RULE_SSHD_SERVICE, KEY_SERVICE, &(struct texts){service, check->name, NULL, NULL});
    clean = judge_block(&side);
    for (side.block = 1; side.block < config->block_count; side.block++)
        if (sshd_config_says(config, side.block, KEYWORDS) && !config->blocks[side.block].for_all)
            clean &= judge_block(&side);
    side.block = 0;
    side.complained = false;
    judge_grace(&side, sshd->code_timeout);
    if (clean && !side.complained)
        check_say(check, RULE_SSHD_CLEAN, config->file, 0, &(struct texts){.first = NULL});
}

/* The file that was named, or where sshd itself is meant the one that it reads; or NULL. */
static const char *find_config(const struct check_arguments *arguments, const char *service)
{
    if (arguments->sshd_config != NULL)
        return arguments->sshd_config;
    if (strchr(arguments->argument, '/') != NULL || strcmp(service, "sshd") != 0)
        return NULL;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (access(files[i], R_OK) == 0)
            return files[i];
    return NULL;
}

void sshd_check(struct check *check, const struct sshd *sshd)
{
    const char *file = find_config(sshd->arguments, check->name);
    struct sshd_config config;

    if (check->count[RULE_NO_CODE] > 0 || (check->part && file == NULL))
        return;
    if (file == NULL && strncmp(check->name, "sshd", 4) == 0) {
        check_say_line(check, RULE_SSHD_UNKNOWN, NULL,
                       &(struct texts){.more = check_code_is_alone(check)
                                                   ? "; it has to ask for a key before PAM asks for "
                                                     "the code, for that is the only factor here"
                                                   : NULL});
        return;
    }
    if (file == NULL) {
        check_say_alone(check);
        return;
    }
    if (sshd_config_read(&config, file, check->why, sizeof check->why))
        judge_config(check, sshd, &config);
    else
        check->failed = true;
    sshd_config_free(&config);
}
