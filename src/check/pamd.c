#include "check/pamd.h"

#include "check/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* libpam before 1.6 reads lines into 1,024 bytes, and takes what is beyond them for the next line. */
#define LINE_MOST 1022

#define LINES_MOST 4096
#define BLANKS     " \n\t"

/* Where libpam looks, in its order. Not every libpam knows all of them: those that it does not know do not exist. */
static const char *const directories[] = {"/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d"};

#define DIRECTORIES (sizeof directories / sizeof *directories)

static const char *const phases[PHASES] = {"auth", "account", "password", "session"};

/* READ_ABORTED is libpam's own way to give up on a file; READ_FAILED is ours, with `why`. */
enum outcome { READ_OK, READ_ABORTED, READ_FAILED };

/* Reading one service. */
struct reading {
    struct service *service;
    const struct places *places;
    struct stack *stacks; /* where the lines go */
    size_t line_count;
    char *why;
    size_t size;
};

/* One file of it. `requested`: only lines of this phase count, or PHASES for all. */
struct source {
    const char *file;
    char *text; /* cut up while it is read */
    size_t length, at;
    unsigned int number; /* of the line that is read */
    enum phase requested;
    int includes, level;
};

const char *phase_name(enum phase phase)
{
    return phase < PHASES ? phases[phase] : "";
}

/* Gives up: "what: detail". */
static enum outcome fail(struct reading *reading, const char *what, const char *detail)
{
    snprintf(reading->why, reading->size, "%s: %s", what, detail);
    return READ_FAILED;
}

static enum outcome no_memory(struct reading *reading)
{
    return fail(reading, reading->service->file == NULL ? "the service" : reading->service->file, "out of memory");
}

static enum outcome too_long(struct reading *reading, const struct source *source)
{
    return fail(reading, source->file, "with the files that it takes in, more than 4,096 lines");
}

/* Keeps a trouble of the line that is read. */
__attribute__((format(printf, 3, 4))) static enum outcome note(struct reading *reading, const struct source *source,
                                                               const char *format, ...)
{
    struct service *service = reading->service;
    struct trouble *more = reallocarray(service->troubles, service->trouble_count + 1, sizeof *more);
    struct trouble trouble = {strdup(source->file), source->number, false, NULL};
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&trouble.what, format, arguments) < 0)
        trouble.what = NULL;
    va_end(arguments);
    if (more != NULL)
        service->troubles = more;
    if (more != NULL && trouble.file != NULL && trouble.what != NULL) {
        more[service->trouble_count++] = trouble;
        return READ_OK;
    }
    free(trouble.file);
    free(trouble.what);
    return no_memory(reading);
}

/* The path of a file by its name: in the directory at `index`, which NULL is not one; of a whole path, just that. */
static const char *directory_at(const struct reading *reading, const char *name, size_t index)
{
    if (*name == '/')
        return index == 0 ? "" : NULL;
    if (index == 0)
        return reading->places->first;
    return reading->places->alone ? NULL : directories[index - 1];
}

static bool is_absence(int failure)
{
    return failure == ENOENT || failure == ENOTDIR;
}

/* Finds and reads the file of that name, in the first `count` directories where libpam looks. The caller frees *text
 * and *path; they are NULL where there is no such file. */
static enum outcome find_file(struct reading *reading, const char *name, size_t count, char **path, char **text,
                              size_t *length)
{
    *path = *text = NULL;
    for (size_t i = 0; *text == NULL && i <= count; i++) {
        const char *directory = directory_at(reading, name, i);

        if (directory == NULL)
            continue;
        free(*path);
        if (asprintf(path, "%s%s%s", directory, *directory == '\0' ? "" : "/", name) < 0) {
            *path = NULL;
            return no_memory(reading);
        }
        *text = file_read(*path, length);
        if (*text == NULL && !is_absence(errno))
            return fail(reading, *path, strerrordesc_np(errno));
    }
    if (*text == NULL) {
        free(*path);
        *path = NULL;
    }
    return READ_OK;
}

/* Lines. */

/* Cuts the next line as it stands in the file off its text. */
static char *next_physical(struct source *source)
{
    char *line = source->text + source->at;
    char *end = memchr(line, '\n', source->length - source->at);

    if (source->at >= source->length)
        return NULL;
    source->number++;
    source->at = end == NULL ? source->length : (size_t)(end - source->text) + 1;
    if (end != NULL)
        *end = '\0';
    return line;
}

/* Takes what libpam does not look at from a line. True when the line goes on in the next one. */
static bool strip(char **line)
{
    char *start = *line + strspn(*line, BLANKS);
    char *comment = strchr(start, '#');
    char *end = comment == NULL ? start + strlen(start) : comment;

    *end = '\0';
    *line = start;
    if (comment != NULL)
        return false;
    while (end > start && strchr(BLANKS, end[-1]) != NULL)
        end--;
    if (end == start || end[-1] != '\\')
        return false;
    end[-1] = '\0';
    return true;
}

/* What versions of libpam do not read alike in a part of a line, or NULL. `size` counts its line feed. */
static const char *ambiguity_of(const char *part, size_t size, size_t before, bool continued)
{
    const char *start = part + strspn(part, BLANKS);

    if (strlen(part) + 1 < size)
        return "a NUL byte: not every version of libpam reads on after it";
    if (before + size > LINE_MOST)
        return "more than 1,022 bytes: some versions of libpam take the rest for a line of its own";
    if (continued && *start == '\0')
        return "an empty line after a backslash: some versions of libpam end the line here, some go on";
    if (continued && *start == '#')
        return "a comment after a backslash: some versions of libpam end the line here, some go on";
    return NULL;
}

/* Puts the next line together, from those that end in a backslash too. *line is NULL where there is none. */
static enum outcome next_line(struct reading *reading, struct source *source, char *buffer, char **line)
{
    bool more = false;
    char *end = buffer;

    *line = NULL;
    do {
        size_t before = source->at;
        char *part = next_physical(source);
        const char *ambiguity;

        if (part == NULL && more)
            return note(reading, source, "the file ends after a backslash") == READ_OK ? READ_ABORTED : READ_FAILED;
        if (part == NULL)
            return READ_OK;
        ambiguity = ambiguity_of(part, source->at - before, (size_t)(end - buffer), more);
        if (ambiguity != NULL && note(reading, source, "%s", ambiguity) != READ_OK)
            return READ_FAILED;
        more = strip(&part) || (more && *part == '\0');
        end = stpcpy(end, part);
        if (more)
            end = stpcpy(end, " ");
    } while (more || end == buffer);
    *line = buffer;
    return READ_OK;
}

/* Cuts the next word off: without brackets, where it has them. NULL: there is none. */
static char *next_word(char **rest)
{
    char *word = *rest == NULL ? NULL : *rest + strspn(*rest, BLANKS);
    char *end;

    if (word == NULL || *word == '\0')
        return *rest = NULL;
    if (*word == '[') {
        char *to = ++word;

        for (end = word; *end != '\0' && *end != ']'; end++) {
            if (*end == '\\' && end[1] == ']')
                end++;
            *to++ = *end;
        }
        if (to != end)
            *to = '\0';
    } else
        end = word + strcspn(word, BLANKS);
    if (*end != '\0')
        *end++ = '\0';
    *rest = *end == '\0' ? NULL : end;
    return word;
}

static void free_line(struct line *line)
{
    for (int i = 0; i < line->argc; i++)
        free(line->argv[i]);
    free(line->argv);
    free(line->control);
    free(line->module);
    free(line->file);
}

static bool add_argument(struct line *line, const char *word)
{
    char **more = reallocarray(line->argv, (size_t)line->argc + 1, sizeof *more);

    if (more == NULL)
        return false;
    line->argv = more;
    more[line->argc] = strdup(word);
    if (more[line->argc] == NULL)
        return false;
    line->argc++;
    return true;
}

/* libpam gives up on a name that is nothing but an ending, or a question mark. */
static bool is_name_of_module(const char *name)
{
    const char *dot = strrchr(name, '.');
    size_t stem = dot == NULL ? strlen(name) : (size_t)(dot - name);

    return stem > 0 && !(stem == 1 && *name == '?');
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

/* Adds a line; `rest` are its arguments. */
static enum outcome add_line(struct reading *reading, const struct source *source, enum phase phase,
                             const struct line *draft, char *rest)
{
    struct stack *stack = &reading->stacks[phase];
    struct line *more = reallocarray(stack->lines, stack->count + 1, sizeof *more);
    struct line line = *draft;
    bool added;

    if (more == NULL)
        return no_memory(reading);
    stack->lines = more;
    if (reading->line_count++ >= LINES_MOST)
        return too_long(reading, source);
    line.level = source->level;
    line.number = source->number;
    line.included = source->includes > 0;
    line.file = strdup(source->file);
    line.control = strdup(draft->control);
    line.module = strdup(base_name(draft->module));
    added = line.file != NULL && line.control != NULL && line.module != NULL;
    for (char *word; added && (word = next_word(&rest)) != NULL;)
        added = add_argument(&line, word);
    if (!added) {
        free_line(&line);
        return no_memory(reading);
    }
    more[stack->count++] = line;
    if (*draft->module == '\0' || is_name_of_module(line.module))
        return READ_OK;
    return note(reading, source, "%s is no name of a module", draft->module) == READ_OK ? READ_ABORTED : READ_FAILED;
}

static void free_stacks(struct stack stacks[])
{
    for (size_t phase = 0; phase < PHASES; phase++) {
        for (size_t i = 0; i < stacks[phase].count; i++)
            free_line(&stacks[phase].lines[i]);
        free(stacks[phase].lines);
        stacks[phase] = (struct stack){NULL, 0};
    }
}

static enum outcome read_source(struct reading *reading, struct source *source);

/* Reads a file that `source` takes in, `levels` deeper. READ_ABORTED where libpam could not. */
static enum outcome take_in(struct reading *reading, const struct source *source, const char *name,
                            size_t directory_count, enum phase requested, int levels)
{
    struct source taken = {.requested = requested, .includes = source->includes + 1, .level = source->level + levels};
    enum outcome outcome;
    char *path = NULL;

    if (reading->line_count++ >= LINES_MOST)
        return too_long(reading, source);
    if (name == NULL || taken.includes >= LEVELS) {
        outcome = note(reading, source, "%s",
                       name == NULL ? "a file's name is missing" : "files that take each other in, without an end");
        return outcome == READ_OK ? READ_ABORTED : outcome;
    }
    outcome = find_file(reading, name, directory_count, &path, &taken.text, &taken.length);
    taken.file = path;
    if (outcome == READ_OK && taken.text == NULL) {
        outcome = note(reading, source, "there is no file %s", name);
        if (outcome == READ_OK)
            outcome = READ_ABORTED;
    } else if (outcome == READ_OK)
        outcome = read_source(reading, &taken);
    free(taken.text);
    free(path);
    return outcome;
}

/* The lines of a file that an `include` or a `substack` takes in. */
static enum outcome read_include(struct reading *reading, const struct source *source, enum phase phase,
                                 const struct line *draft, bool substack, char *rest)
{
    const char *name = next_word(&rest);
    struct line line = *draft;
    enum outcome outcome = READ_OK;

    if (substack) {
        line.kind = LINE_SUBSTACK;
        line.module = (char *)(name == NULL ? "" : name);
        outcome = add_line(reading, source, phase, &line, NULL);
    }
    if (outcome != READ_OK)
        return outcome;
    outcome = take_in(reading, source, name, DIRECTORIES, phase, substack);
    if (outcome != READ_ABORTED)
        return outcome;
    line = *draft;
    line.kind = LINE_MUST_FAIL;
    return add_line(reading, source, phase, &line, NULL);
}

/* The phase that a line begins with, or PHASES. */
static enum phase phase_of(const char *word)
{
    enum phase phase = PHASE_AUTH;

    if (word != NULL && *word == '-')
        word++;
    while (phase < PHASES && (word == NULL || strcasecmp(word, phases[phase]) != 0))
        phase++;
    return phase;
}

static bool is_debian_include(const char *word)
{
    return word != NULL && strcasecmp(word + (*word == '-'), "@include") == 0;
}

/* What cannot be read as a line denies, in the phase that is asked for, or else in auth. */
static enum outcome read_line(struct reading *reading, const struct source *source, char *rest)
{
    struct line draft = {.kind = LINE_MODULE, .control = (char *)"", .module = (char *)""};
    const char *wrong = NULL;
    char *word = next_word(&rest);
    enum phase phase = phase_of(word);

    /* Debian's libpam looks for it in /etc/pam.d alone. */
    if (is_debian_include(word))
        return take_in(reading, source, next_word(&rest), 1, source->requested, 0);
    if (phase == PHASES) {
        phase = source->requested == PHASES ? PHASE_AUTH : source->requested;
        draft.kind = LINE_MUST_FAIL;
        wrong = "a line begins with auth, account, password or session";
    }
    if (source->requested != PHASES && phase != source->requested)
        return READ_OK;
    control_parse(draft.actions, NULL);
    word = next_word(&rest);
    if (word != NULL) {
        bool substack = strcasecmp(word, "substack") == 0;
        const char *wrong_control;

        draft.control = word;
        if (substack || strcasecmp(word, "include") == 0)
            return read_include(reading, source, phase, &draft, substack, rest);
        wrong_control = control_parse(draft.actions, word);
        wrong = wrong == NULL ? wrong_control : wrong;
        draft.module = next_word(&rest);
    }
    if (word == NULL || draft.module == NULL) {
        draft.kind = LINE_MUST_FAIL;
        draft.module = (char *)"";
        wrong = wrong == NULL ? "a line needs a control and a module" : wrong;
    }
    if (wrong != NULL && note(reading, source, "%s", wrong) != READ_OK)
        return READ_FAILED;
    return add_line(reading, source, phase, &draft, rest);
}

static enum outcome read_source(struct reading *reading, struct source *source)
{
    char *buffer = malloc(2 * source->length + 2);
    enum outcome outcome = buffer == NULL ? no_memory(reading) : READ_OK;

    while (outcome == READ_OK) {
        char *line;

        outcome = next_line(reading, source, buffer, &line);
        if (outcome != READ_OK || line == NULL)
            break;
        outcome = read_line(reading, source, line);
    }
    free(buffer);
    return outcome;
}

/* The lines of the service, or of `other`, or of the file at `path` instead; where libpam gives up on them, the last
 * trouble says why. *file is the caller's to free, and NULL for a service without a file. */
static enum outcome read_own(struct reading *reading, const char *name, const char *path, char **file)
{
    struct source source = {.requested = PHASES};
    enum outcome outcome = READ_OK;

    if (path == NULL)
        outcome = find_file(reading, name, DIRECTORIES, file, &source.text, &source.length);
    else {
        *file = strdup(path);
        source.text = *file == NULL ? NULL : file_read(path, &source.length);
        if (source.text == NULL)
            outcome = fail(reading, path, strerrordesc_np(*file == NULL ? ENOMEM : errno));
    }
    source.file = *file;
    if (outcome == READ_OK && source.text != NULL)
        outcome = read_source(reading, &source);
    if (outcome == READ_ABORTED)
        reading->service->troubles[reading->service->trouble_count - 1].fatal = true;
    free(source.text);
    return outcome;
}

/* libpam reads `other` with every service; where the service has no line of a phase, it takes those. */
static enum outcome read_other(struct reading *reading)
{
    struct service *service = reading->service;
    struct stack other[PHASES] = {{NULL, 0}};
    char *path = NULL;
    enum outcome outcome;

    reading->stacks = other;
    outcome = read_own(reading, "other", NULL, &path);
    for (size_t phase = 0; phase < PHASES; phase++)
        if (service->stacks[phase].count == 0) {
            service->stacks[phase] = other[phase];
            service->from_other[phase] = true;
            other[phase] = (struct stack){NULL, 0};
        }
    if (service->file == NULL) {
        service->file = path;
        path = NULL;
    }
    free_stacks(other);
    free(path);
    return outcome;
}

bool service_read(struct service *service, const char *name, const char *path, const struct places *places, char *why,
                  size_t size)
{
    struct reading reading = {
        .service = service, .places = places, .stacks = service->stacks, .why = why, .size = size};
    enum outcome outcome;

    *service = (struct service){.file = NULL};
    outcome = read_own(&reading, name, path, &service->file);
    service->absent = service->file == NULL;
    if (outcome == READ_OK)
        outcome = read_other(&reading);
    if (outcome == READ_OK && service->file == NULL)
        outcome = fail(&reading, name, "there is no such service, and no service other");
    return outcome != READ_FAILED;
}

void service_free(struct service *service)
{
    free_stacks(service->stacks);
    for (size_t i = 0; i < service->trouble_count; i++) {
        free(service->troubles[i].file);
        free(service->troubles[i].what);
    }
    free(service->troubles);
    free(service->file);
    *service = (struct service){.file = NULL};
}
