#include "common/options.h"

#include "common/safe_file.h"
#include "common/template.h"
#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MOST  (64 * 1024)
#define PAIRS_MOST (STRINGS_MOST / 2)

struct row {
    const char *key;
    const char *value; /* the default, or NULL */
    bool (*parse)(const struct row *row, const char *text, void *field);
    size_t offset;
    enum { ONE_TEXT, ONE_NUMBER, ONE_BOOL, LIST } shape;
    unsigned int least, most;
    const char *choices;
    const char *expects; /* completes "expects …" in the log */
    bool bare;           /* as an argument it stands alone, without a value */
    bool repeats;
};

/* Shapes and parsers: each takes the text whole or refuses it; nothing is trimmed, cut or guessed. */

static bool set_text(void *field, const char *text, size_t length)
{
    char **string = field;

    free(*string);
    *string = strndup(text, length);
    return *string != NULL;
}

/* The place of `text` in a list of words with blanks between them, or -1. */
static int place_among(const char *words, const char *text, size_t length)
{
    int place = 0;

    for (const char *end; *words != '\0'; words = end + strspn(end, " "), place++) {
        end = words + strcspn(words, " ");
        if ((size_t)(end - words) == length && memcmp(words, text, length) == 0)
            return place;
    }
    return -1;
}

/* Letters, digits and _.+- , the first no '-' or '.': regions, pools, clients, users, groups. */
static bool is_name(const char *text, size_t length)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-.";

    return length > 0 && strspn(text, letters) >= length && *text != '-' && *text != '.';
}

static bool parse_name(const struct row *row, const char *text, void *field)
{
    size_t length = strlen(text);

    return is_name(text, length) && length >= row->least && length <= row->most && set_text(field, text, length);
}

static bool parse_path(const struct row *row, const char *text, void *field)
{
    (void)row;
    return *text == '/' && text_is_word(text) && set_text(field, text, strlen(text));
}

/* :port, and the path or the end of the URL after it. */
static bool is_port(const char *text)
{
    size_t digits = strspn(text + 1, "0123456789");
    unsigned long port = digits > 5 ? 0 : strtoul(text + 1, NULL, 10);

    return port >= 1 && port <= 65535 && (text[1 + digits] == '\0' || text[1 + digits] == '/');
}

/* host, or [address of IPv6]; NULL or where it ends. */
static const char *end_of_host(const char *host)
{
    size_t length = *host == '[' ? strcspn(host, "]/") : strcspn(host, ":/[]");

    if (*host == '[')
        return host[length] == ']' && length > 1 ? host + length + 1 : NULL;
    return length > 0 && host[length] != '[' && host[length] != ']' ? host + length : NULL;
}

/* scheme://host[:port][/path] with a scheme of the row. User info, query and fragment have no place in any of our URLs,
 * and would let a URL look like another. A slash at the end is dropped, so that paths can be put behind it. */
static bool parse_url(const struct row *row, const char *text, void *field)
{
    const char *host = strstr(text, "://");
    size_t length = strlen(text);
    const char *end;

    if (host == NULL || place_among(row->choices, text, (size_t)(host - text)) < 0 || !text_is_word(text) ||
        strpbrk(text, "@?#\\") != NULL)
        return false;
    end = end_of_host(host + 3);
    if (end == NULL || !(*end == '\0' || *end == '/' || (*end == ':' && is_port(end))))
        return false;
    if (text[length - 1] == '/')
        length--;
    return set_text(field, text, length);
}

static bool parse_number(const struct row *row, const char *text, void *field)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long number;

    if (digits == 0 || digits > 9 || text[digits] != '\0')
        return false;
    number = strtoul(text, NULL, 10);
    if (number < row->least || number > row->most)
        return false;
    *(unsigned int *)field = (unsigned int)number;
    return true;
}

static bool parse_choice(const struct row *row, const char *text, void *field)
{
    int place = place_among(row->choices, text, strlen(text));

    if (place < 0)
        return false;
    *(unsigned int *)field = (unsigned int)place;
    return true;
}

static bool parse_boolean(const struct row *row, const char *text, void *field)
{
    int place = place_among("no yes", text, strlen(text));

    (void)row;
    if (place < 0)
        return false;
    *(bool *)field = place == 1;
    return true;
}

static bool parse_flag(const struct row *row, const char *text, void *field)
{
    return parse_boolean(row, text, field);
}

static bool parse_template(const struct row *row, const char *text, void *field)
{
    (void)row;
    return *text != '\0' && template_is_valid(text) && set_text(field, text, strlen(text));
}

/* A claim of the access token, or an attribute of the user. */
static bool parse_claim(const struct row *row, const char *text, void *field)
{
    const char *custom = strncmp(text, "custom:", 7) == 0 ? text + 7 : NULL;
    size_t length = strlen(text);

    (void)row;
    if (custom != NULL ? !is_name(custom, strlen(custom)) || length > 32
                       : place_among("username sub email preferred_username", text, length) < 0)
        return false;
    return set_text(field, text, length);
}

/* Calls `accepts` for each item of a list with commas; empty items and items given twice are refused. */
static bool parse_list(const struct row *row, const char *text, void *field,
                       bool (*accepts)(const struct row *row, const char *item, size_t length))
{
    for (;;) {
        size_t length = strcspn(text, ",");
        const char *item = text + strspn(text, " \t");
        const char *end = text + length;

        while (end > item && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        if (item >= end || strings_have(field, item, (size_t)(end - item)) ||
            !accepts(row, item, (size_t)(end - item)) || !strings_add(field, item, (size_t)(end - item)))
            return false;
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
}

static bool is_word_of_row(const struct row *row, const char *item, size_t length)
{
    return place_among(row->choices, item, length) >= 0;
}

static bool parse_words(const struct row *row, const char *text, void *field)
{
    return parse_list(row, text, field, is_word_of_row);
}

static bool is_group(const struct row *row, const char *item, size_t length)
{
    (void)row;
    return is_name(item, length);
}

static bool parse_names(const struct row *row, const char *text, void *field)
{
    return parse_list(row, text, field, is_group);
}

/* signin, authtok, env:NAME, file:PATH, command:PATH; the paths are templates. */
static bool is_source(const struct row *row, const char *item, size_t length)
{
    char copy[1024];
    char *value;

    (void)row;
    if (place_among("signin authtok", item, length) >= 0)
        return true;
    if (length >= sizeof copy)
        return false;
    memcpy(copy, item, length);
    copy[length] = '\0';
    value = strchr(copy, ':');
    if (value == NULL)
        return false;
    *value++ = '\0';
    if (strcmp(copy, "env") == 0)
        return is_name(value, strlen(value));
    return (strcmp(copy, "file") == 0 || strcmp(copy, "command") == 0) && *value == '/' && text_is_word(value) &&
           template_is_valid(value);
}

static bool parse_sources(const struct row *row, const char *text, void *field)
{
    return parse_list(row, text, field, is_source);
}

/* NAME=template, one pair for each time the key stands; a name once. */
static bool parse_metadata(const struct row *row, const char *text, void *field)
{
    struct strings *list = field;
    size_t name = strcspn(text, "=");

    (void)row;
    if (list->count == PAIRS_MOST || text[name] != '=' || !is_name(text, name) || !template_is_valid(text + name + 1))
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (strncmp(list->items[i], text, name + 1) == 0)
            return false;
    return strings_add(list, text, strlen(text));
}

#define SHAPE_name     ONE_TEXT
#define SHAPE_path     ONE_TEXT
#define SHAPE_url      ONE_TEXT
#define SHAPE_template ONE_TEXT
#define SHAPE_claim    ONE_TEXT
#define SHAPE_number   ONE_NUMBER
#define SHAPE_choice   ONE_NUMBER
#define SHAPE_flag     ONE_BOOL
#define SHAPE_boolean  ONE_BOOL
#define SHAPE_words    LIST
#define SHAPE_names    LIST
#define SHAPE_sources  LIST
#define SHAPE_metadata LIST

#define EXPECTS_name     "a name of letters, digits and _.+-"
#define EXPECTS_path     "an absolute path"
#define EXPECTS_url      "a URL without user, query or fragment, beginning with one of"
#define EXPECTS_template "text with %u, %h, %s, %r, %t or %%"
#define EXPECTS_claim    "username, sub, email, preferred_username or custom:NAME"
#define EXPECTS_number   "a number"
#define EXPECTS_choice   "one of"
#define EXPECTS_flag     "yes or no"
#define EXPECTS_boolean  "yes or no"
#define EXPECTS_words    "a list, with commas and each once, of"
#define EXPECTS_names    "a list of group names with commas, each once"
#define EXPECTS_sources  "a list, with commas, of signin, authtok, env:NAME, file:/PATH, command:/PATH"
#define EXPECTS_metadata "NAME=TEXT, each name once"

static const struct row rows[] = {
#define OPTION(key, type, field, value, least, most, choices)                                                          \
    {key,                                                                                                              \
     value,                                                                                                            \
     parse_##type,                                                                                                     \
     offsetof(struct options, field),                                                                                  \
     SHAPE_##type,                                                                                                     \
     least,                                                                                                            \
     most,                                                                                                             \
     choices,                                                                                                          \
     EXPECTS_##type,                                                                                                   \
     parse_##type == parse_flag,                                                                                       \
     parse_##type == parse_metadata},
#include "common/options.def"
#undef OPTION
};
#define ROWS OPTIONS_COUNT

/* A load under way: which keys the source that is read now has set, and where errors are reported. */
struct load {
    struct options *options;
    bool set[ROWS];
    bool set_before[ROWS]; /* by an earlier source, which this one overrides */
    unsigned int line;     /* of the file, 0 elsewhere */
    char *why;
    size_t size;
    options_heed *heed; /* hears of each error; NULL: the first one ends the load */
    void *data;
    bool refused;
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct load *load, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(load->why, load->size, format, arguments);
    va_end(arguments);
    load->refused = true;
    if (load->heed != NULL)
        load->heed(load->data, load->why);
    return false;
}

static void *field_of(struct options *options, const struct row *row)
{
    return (char *)options + row->offset;
}

static void clear_field(struct options *options, const struct row *row)
{
    void *field = field_of(options, row);

    switch (row->shape) {
    case ONE_TEXT:
        free(*(char **)field);
        *(char **)field = NULL;
        break;
    case ONE_NUMBER:
        *(unsigned int *)field = 0;
        break;
    case ONE_BOOL:
        *(bool *)field = false;
        break;
    case LIST:
        strings_free(field);
        break;
    }
}

/* Sets one key. `where` says where it stands, for `why`. The value is not repeated there: it may be a secret at the
 * wrong place. */
static bool set_key(struct load *load, const char *where, const char *key, const char *value, bool as_argument)
{
    size_t i = 0;
    const struct row *row;
    char safe[64];

    while (i < ROWS && strcmp(rows[i].key, key) != 0)
        i++;
    if (i == ROWS)
        return refuse(load, "%s: unknown key %s", where, text_log_value(safe, sizeof safe, key));
    row = &rows[i];
    if (load->set[i] && !row->repeats)
        return refuse(load, "%s: %s stands here a second time", where, key);
    if (as_argument && row->bare && value != NULL)
        return refuse(load, "%s: %s is a flag: as an argument it stands alone", where, key);
    if (value == NULL && !(as_argument && row->bare))
        return refuse(load, "%s: %s needs a value", where, key);
    if (load->set_before[i]) {
        clear_field(load->options, row);
        load->set_before[i] = false;
    }
    if (!load->set[i])
        load->options->origins[i] = (struct option_origin){as_argument ? "argument" : "file", load->line};
    load->set[i] = true;
    if (row->parse(row, value == NULL ? "yes" : value, field_of(load->options, row)))
        return true;
    clear_field(load->options, row);
    load->options->origins[i].from = NULL;
    if (row->shape == ONE_NUMBER && row->least < row->most)
        return refuse(load, "%s: %s expects a number of %s from %u to %u", where, key, row->choices, row->least,
                      row->most);
    return refuse(load, "%s: %s expects %s%s%s", where, key, row->expects, row->choices == NULL ? "" : " ",
                  row->choices == NULL ? "" : row->choices);
}

/* Takes the blanks from both ends of the text up to `end`, and ends it there. */
static char *trim(char *text, char *end)
{
    while (text < end && (*text == ' ' || *text == '\t'))
        text++;
    while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = '\0';
    return text;
}

static bool load_line(struct load *load, const char *where, char *line, char *end)
{
    char *equals;

    for (const char *at = line; at < end; at++)
        if ((unsigned char)*at < 0x20 && *at != '\t')
            return refuse(load, "%s: a control character", where);
    line = trim(line, end);
    if (*line == '\0' || *line == '#')
        return true;
    equals = strchr(line, '=');
    if (equals == NULL)
        return refuse(load, "%s: expects \"key = value\"", where);
    return set_key(load, where, trim(line, equals), trim(equals + 1, equals + 1 + strlen(equals + 1)), false);
}

static bool load_text(struct load *load, const char *path, char *text, size_t length)
{
    load->line = 1;
    for (char *line = text, *end; line < text + length; line = end + 1, load->line++) {
        char where[256];

        end = memchr(line, '\n', (size_t)(text + length - line));
        if (end == NULL)
            end = text + length;
        snprintf(where, sizeof where, "%.200s:%u", path, load->line);
        if (!load_line(load, where, line, end) && load->heed == NULL)
            return false;
    }
    load->line = 0;
    return true;
}

/* Reads the file; a missing one is an error only when it was `named` by an argument. */
static bool load_file(struct load *load, const char *path, bool named)
{
    struct secret content = {NULL, 0};
    char why[128];
    bool done = false;

    switch (safe_file_read(path, 0, FILE_MOST, &content, why, sizeof why)) {
    case SAFE_OK:
        done = load_text(load, path, content.bytes, content.length);
        break;
    case SAFE_ABSENT:
        done = !named || refuse(load, "%s: %s", path, why);
        break;
    case SAFE_REFUSED:
        refuse(load, "%s: %s", path, why);
        break;
    }
    secret_free(&content);
    return done;
}

/* The value of the conf= argument, or NULL. */
static bool find_conf(struct load *load, int argc, const char *const argv[], const char **conf)
{
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "conf=", 5) != 0)
            continue;
        if (*conf != NULL)
            return refuse(load, "argument conf: conf stands here a second time");
        if (argv[i][5] != '/')
            return refuse(load, "argument conf: conf expects an absolute path");
        *conf = argv[i] + 5;
    }
    return true;
}

static bool load_argument(struct load *load, const char *argument)
{
    size_t length = strcspn(argument, "=");
    char safe[64];
    char where[96];
    char key[64];

    snprintf(key, sizeof key, "%.*s", length < sizeof key ? (int)length : (int)sizeof key - 1, argument);
    snprintf(where, sizeof where, "argument %s", text_log_value(safe, sizeof safe, key));
    return set_key(load, where, key, argument[length] == '=' ? argument + length + 1 : NULL, true);
}

static bool load_defaults(struct load *load)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].value == NULL || load->set[i] || load->set_before[i])
            continue;
        if (!rows[i].parse(&rows[i], rows[i].value, field_of(load->options, &rows[i])))
            return refuse(load, "out of memory");
        load->options->origins[i].from = "default";
    }
    return true;
}

/* The domain under which a region's endpoints stand, by its partition: AWS General Reference, "Amazon Cognito Identity
 * endpoints and quotas". */
static const char *domain_of(const char *region)
{
    static const struct {
        const char *prefix, *domain;
    } partitions[] = {{"cn-", "amazonaws.com.cn"}, {"eusc-", "amazonaws.eu"}, {"", "amazonaws.com"}};
    size_t i = 0;

    while (strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)) != 0)
        i++;
    return partitions[i].domain;
}

/* The path of a URL with its slash, or "". */
static const char *path_of(const char *url)
{
    const char *path = strchr(strstr(url, "://") + 3, '/');

    return path == NULL ? "" : path;
}

/* asprintf(3) that leaves NULL when memory is short: then it may leave anything. */
__attribute__((format(printf, 2, 3))) static bool print_text(char **text, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vasprintf(text, format, arguments);
    va_end(arguments);
    if (length < 0)
        *text = NULL;
    return length >= 0;
}

/* What follows from other keys, where those are there. */
static bool derive_urls(struct options *options)
{
    const char *region = options->region;
    const char *domain = region == NULL ? NULL : domain_of(region);

    if (options->endpoint == NULL && region != NULL) {
        if (!print_text(&options->endpoint, "https://cognito-idp.%s.%s", region, domain))
            return false;
        options->origins[OPTION_endpoint].from = "derived from region";
    }
    if (options->issuer == NULL && region != NULL && options->user_pool_id != NULL) {
        if (!print_text(&options->issuer, "https://cognito-idp.%s.%s/%s", region, domain, options->user_pool_id))
            return false;
        options->origins[OPTION_issuer].from = "derived from region and user_pool_id";
    }
    if (options->jwks_url == NULL && options->endpoint != NULL && options->issuer != NULL) {
        const char *endpoint = options->endpoint;
        int host = (int)(strlen(endpoint) - strlen(path_of(endpoint)));

        if (!print_text(&options->jwks_url, "%.*s%s/.well-known/jwks.json", host, endpoint, path_of(options->issuer)))
            return false;
        options->origins[OPTION_jwks_url].from = "derived from endpoint and issuer";
    }
    return true;
}

static bool has_command(const struct strings *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        if (strncmp(sources->items[i], "command:", 8) == 0)
            return true;
    return false;
}

/* True when no source says the key; one whose value was refused says it. */
static bool is_missing(const struct load *load, enum option_place place)
{
    return *(char **)field_of(load->options, &rows[place]) == NULL && !load->set[place];
}

static bool check_whole(struct load *load, const char *path)
{
    const struct {
        bool missing;
        const char *what;
    } required[] = {
        {is_missing(load, OPTION_region) && (is_missing(load, OPTION_endpoint) || is_missing(load, OPTION_issuer)),
         "region is missing (needed unless both endpoint and issuer are given)"},
        {is_missing(load, OPTION_user_pool_id), "user_pool_id is missing"},
        {is_missing(load, OPTION_client_id), "client_id is missing"},
        {has_command(&load->options->token) && is_missing(load, OPTION_token_command_user),
         "token_command_user is missing (needed with command:)"},
    };

    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        if (required[i].missing && !refuse(load, "%s: %s", path, required[i].what) && load->heed == NULL)
            return false;
    return true;
}

/* What comes after the last source. */
static bool complete(struct load *load, const char *file)
{
    if (!load_defaults(load) || !check_whole(load, file))
        return false;
    return (derive_urls(load->options) || refuse(load, "out of memory")) && !load->refused;
}

bool options_load(struct options *options, const char *file, int argc, const char *const argv[], char *why, size_t size)
{
    struct load load = {.options = options, .why = why, .size = size};
    const char *conf = NULL;

    memset(options, 0, sizeof *options);
    if (!find_conf(&load, argc, argv, &conf))
        return false;
    if (conf != NULL)
        file = conf;
    if (!load_file(&load, file, conf != NULL))
        return false;
    memcpy(load.set_before, load.set, sizeof load.set);
    memset(load.set, 0, sizeof load.set);
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], "conf=", 5) != 0 && !load_argument(&load, argv[i]))
            return false;
    return complete(&load, file);
}

bool options_read(struct options *options, const char *file, options_heed *heed, void *data)
{
    char why[OPTIONS_WHY];
    struct load load = {.options = options, .why = why, .size = sizeof why, .heed = heed, .data = data};

    memset(options, 0, sizeof *options);
    return load_file(&load, file, true) && complete(&load, file);
}

/* The items with ", " between them; NULL when memory is short. The caller frees. */
static char *join(const struct strings *list)
{
    size_t size = 1;
    char *text, *end;

    for (size_t i = 0; i < list->count; i++)
        size += strlen(list->items[i]) + 2;
    text = end = calloc(1, size);
    for (size_t i = 0; text != NULL && i < list->count; i++)
        end = stpcpy(stpcpy(end, i > 0 ? ", " : ""), list->items[i]);
    return text;
}

/* The word at that place of a list with blanks between them, or the number itself where there is none. The caller
 * frees. */
static char *number_text(const struct row *row, unsigned int number)
{
    char *text = NULL;

    if (row->parse != parse_choice)
        return asprintf(&text, "%u", number) < 0 ? NULL : text;
    for (const char *word = row->choices; *word != '\0'; word += strcspn(word, " "), word += strspn(word, " "))
        if (number-- == 0)
            return strndup(word, strcspn(word, " "));
    return NULL;
}

static char *value_text(const struct options *options, const struct row *row)
{
    const void *field = (const char *)options + row->offset;

    switch (row->shape) {
    case ONE_TEXT:
        return strdup(*(char *const *)field);
    case ONE_NUMBER:
        return number_text(row, *(const unsigned int *)field);
    case ONE_BOOL:
        return strdup(*(const bool *)field ? "yes" : "no");
    case LIST:
        return join(field);
    }
    return NULL;
}

bool options_at(const struct options *options, enum option_place place, struct option *option)
{
    *option = (struct option){.key = rows[place].key, .origin = options->origins[place]};
    if (option->origin.from == NULL)
        return true;
    option->value = value_text(options, &rows[place]);
    return option->value != NULL;
}

void option_free(struct option *option)
{
    free(option->value);
    option->value = NULL;
}

void options_free(struct options *options)
{
    for (size_t i = 0; i < ROWS; i++)
        clear_field(options, &rows[i]);
    memset(options->origins, 0, sizeof options->origins);
}
