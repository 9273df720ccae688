#include "check/report.h"

#include "check/check.h"
#include "common/text.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A longer cell does not widen its column: what follows it in the row moves to the right. */
#define CELL_WIDEST 32

/* Less room than this at the right margin is not worth a column of text. */
#define TEXT_NARROWEST 30

#define INDENT 11
#define GAP    2

#define COLUMNS_MOST 8

struct row {
    enum level level;
    char **cells;
};

/* Owns the rows and their cells. */
struct report {
    const char *command;
    const char *const *columns;
    size_t count;
    struct row *rows;
    size_t row_count;
    bool incomplete; /* memory was short for a row */
};

static const struct {
    const char *name, *colour;
} levels[] = {
    [LEVEL_OK] = {"ok", "\033[32m"},
    [LEVEL_NOTE] = {"note", "\033[33m"},
    [LEVEL_FINDING] = {"finding", "\033[1;31m"},
};

#define LEVEL_WIDTH 7

struct report *report_new(const char *command, const char *const columns[], size_t count)
{
    struct report *report = count > COLUMNS_MOST ? NULL : calloc(1, sizeof *report);

    if (report != NULL)
        *report = (struct report){.command = command, .columns = columns, .count = count};
    return report;
}

static void free_cells(char **cells, size_t count)
{
    for (size_t i = 0; cells != NULL && i < count; i++)
        free(cells[i]);
    free(cells);
}

static char *copy_cell(const char *cell)
{
    size_t size = cell == NULL ? 1 : strlen(cell) + 1;
    char *copy = malloc(size);

    return copy == NULL ? NULL : text_printable(copy, size, cell);
}

static char **copy_cells(const char *const cells[], size_t count)
{
    char **copy = calloc(count, sizeof *copy);
    bool copied = copy != NULL;

    for (size_t i = 0; copied && i < count; i++) {
        copy[i] = copy_cell(cells[i]);
        copied = copy[i] != NULL;
    }
    if (copied)
        return copy;
    free_cells(copy, count);
    return NULL;
}

void report_row(struct report *report, enum level level, const char *const cells[])
{
    struct row *rows;

    if (report == NULL)
        return;
    rows = reallocarray(report->rows, report->row_count + 1, sizeof *rows);
    if (rows != NULL) {
        report->rows = rows;
        rows[report->row_count] = (struct row){level, copy_cells(cells, report->count)};
    }
    if (rows != NULL && rows[report->row_count].cells != NULL)
        report->row_count++;
    else
        report->incomplete = true;
}

void report_free(struct report **report)
{
    if (*report == NULL)
        return;
    for (size_t i = 0; i < (*report)->row_count; i++)
        free_cells((*report)->rows[i].cells, (*report)->count);
    free((*report)->rows);
    free(*report);
    *report = NULL;
}

static size_t count_of(const struct report *report, enum level level)
{
    size_t count = 0;

    for (size_t i = 0; i < report->row_count; i++)
        count += report->rows[i].level == level;
    return count;
}

/* The table. */

struct screen {
    bool colour;
    size_t width; /* 0: no lines are broken */
};

static struct screen look_at_screen(void)
{
    struct winsize size = {.ws_col = 0};

    if (!isatty(STDOUT_FILENO))
        return (struct screen){false, 0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        size.ws_col = 80;
    return (struct screen){true, size.ws_col};
}

static void print_blanks(size_t count)
{
    printf("%*s", (int)count, "");
}

/* How much of `text` goes on a line of `room` columns: whole words, or one that is longer than the line. */
static size_t fit(const char *text, size_t room)
{
    size_t length = strlen(text);
    size_t end = room;

    if (length <= room)
        return length;
    while (end > 0 && text[end] != ' ')
        end--;
    return end > 0 ? end : strcspn(text, " ");
}

/* Prints `text` from column `at` on, where the cursor is already; its further lines begin in the same column. */
static void print_wrapped(const char *text, size_t at, const struct screen *screen)
{
    size_t room = screen->width > at ? screen->width - at : 0;

    while (room > 0) {
        size_t length = fit(text, room);

        printf("%.*s", (int)length, text);
        text += length;
        text += strspn(text, " ");
        if (*text == '\0')
            return;
        putchar('\n');
        print_blanks(at);
    }
    fputs(text, stdout);
}

static size_t width_of(const struct report *report, size_t column)
{
    size_t width = strlen(report->columns[column]);

    for (size_t i = 0; i < report->row_count; i++) {
        size_t length = strlen(report->rows[i].cells[column]);

        if (length > width && length <= CELL_WIDEST)
            width = length;
    }
    return width;
}

/* How many of the cells are printed beside each other: neither the advice nor empty ones at the end. */
static size_t count_cells(const struct report *report, const char *const cells[])
{
    size_t count = report->count - 1;

    while (count > 0 && *cells[count - 1] == '\0')
        count--;
    return count;
}

/* Where each cell begins; the last place is where the row ends. A cell that is wider than its column moves the others
 * to the right. */
static void place_cells(const struct report *report, const char *const cells[], size_t count, size_t places[])
{
    size_t wanted = LEVEL_WIDTH + GAP, at = wanted;

    for (size_t i = 0; i < count; i++) {
        places[i] = at > wanted ? at : wanted;
        at = places[i] + strlen(cells[i]);
        wanted += width_of(report, i) + GAP;
        if (i + 1 < count)
            at += GAP;
    }
    places[count] = at;
}

/* In one line; where the last cell goes beyond the screen and there is room for a column of text, that is one. */
static void print_line(const char *const cells[], size_t count, const size_t places[], const struct screen *screen)
{
    size_t at = LEVEL_WIDTH;

    for (size_t i = 0; i < count; i++) {
        print_blanks(places[i] - at);
        if (i + 1 == count)
            print_wrapped(cells[i], places[i], screen);
        else
            fputs(cells[i], stdout);
        at = places[i] + strlen(cells[i]);
    }
    putchar('\n');
}

/* Beneath each other, with the columns' names. */
static void print_stack(const struct report *report, const char *const cells[], size_t count,
                        const struct screen *screen)
{
    size_t width = 0;

    print_blanks(GAP);
    puts(cells[0]);
    for (size_t i = 1; i < count; i++)
        if (strlen(report->columns[i]) > width)
            width = strlen(report->columns[i]);
    for (size_t i = 1; i < count; i++) {
        if (*cells[i] == '\0')
            continue;
        print_blanks(INDENT);
        printf("%-*s", (int)(width + GAP), report->columns[i]);
        print_wrapped(cells[i], INDENT + width + GAP, screen);
        putchar('\n');
    }
}

static void print_cells(const struct report *report, const char *const cells[], const struct screen *screen)
{
    size_t count = count_cells(report, cells);
    size_t places[COLUMNS_MOST + 1];

    place_cells(report, cells, count, places);
    if (screen->width == 0 || places[count] <= screen->width ||
        (places[count - 1] + TEXT_NARROWEST <= screen->width && strchr(cells[count - 1], ' ') != NULL))
        print_line(cells, count, places, screen);
    else
        print_stack(report, cells, count, screen);
}

static void print_heading(const struct report *report, const struct screen *screen)
{
    const struct screen endless = {screen->colour, 0};

    if (screen->colour)
        fputs("\033[1m", stdout);
    print_blanks(LEVEL_WIDTH);
    print_cells(report, report->columns, &endless);
    if (screen->colour)
        fputs("\033[0m", stdout);
}

static void print_row(const struct report *report, const struct row *row, const struct screen *screen)
{
    const char *advice = row->cells[report->count - 1];
    const char *name = levels[row->level].name;

    if (screen->colour)
        fputs(levels[row->level].colour, stdout);
    fputs(name, stdout);
    if (screen->colour)
        fputs("\033[0m", stdout);
    print_blanks(LEVEL_WIDTH - strlen(name));
    print_cells(report, (const char *const *)row->cells, screen);
    if (*advice == '\0')
        return;
    print_blanks(LEVEL_WIDTH + GAP);
    print_wrapped(advice, LEVEL_WIDTH + GAP, screen);
    putchar('\n');
}

static void print_sum(size_t findings, size_t notes)
{
    if (findings == 0)
        fputs("\nno findings", stdout);
    else
        printf("\n%zu finding%s", findings, findings == 1 ? "" : "s");
    if (notes > 0)
        printf(", %zu note%s", notes, notes == 1 ? "" : "s");
    putchar('\n');
}

static void print_table(const struct report *report)
{
    const struct screen screen = look_at_screen();

    if (report->row_count > 0)
        print_heading(report, &screen);
    for (size_t i = 0; i < report->row_count; i++)
        print_row(report, &report->rows[i], &screen);
    print_sum(count_of(report, LEVEL_FINDING), count_of(report, LEVEL_NOTE));
}

/* JSON. */

/* Adds a member; `value` is the object's from then on, or freed. False when memory is short. */
static bool put(struct json_object *object, const char *name, struct json_object *value)
{
    if (object != NULL && value != NULL && json_object_object_add(object, name, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

static struct json_object *json_of_row(const struct report *report, const struct row *row)
{
    struct json_object *object = json_object_new_object();
    bool made = put(object, "level", json_object_new_string(levels[row->level].name));

    for (size_t i = 0; made && i < report->count; i++)
        made = put(object, report->columns[i], json_object_new_string(row->cells[i]));
    if (made)
        return object;
    json_object_put(object);
    return NULL;
}

static struct json_object *json_of_rows(const struct report *report)
{
    struct json_object *rows = json_object_new_array();

    for (size_t i = 0; rows != NULL && i < report->row_count; i++) {
        struct json_object *row = json_of_row(report, &report->rows[i]);

        if (row == NULL || json_object_array_add(rows, row) != 0) {
            json_object_put(row);
            json_object_put(rows);
            rows = NULL;
        }
    }
    return rows;
}

static bool print_json(struct json_object *object)
{
    const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);

    if (text != NULL)
        puts(text);
    return text != NULL;
}

static bool print_report(const struct report *report)
{
    struct json_object *object = json_object_new_object();
    bool printed = put(object, "command", json_object_new_string(report->command)) &&
                   put(object, "findings", json_object_new_int64((int64_t)count_of(report, LEVEL_FINDING))) &&
                   put(object, "notes", json_object_new_int64((int64_t)count_of(report, LEVEL_NOTE))) &&
                   put(object, "rows", json_of_rows(report)) && print_json(object);

    json_object_put(object);
    return printed;
}

int report_end(struct report **report, bool json)
{
    int code = CHECK_FAILED;

    if (*report == NULL || (*report)->incomplete)
        code = report_failed(json, "out of memory");
    else if (json && !print_report(*report))
        code = report_failed(json, "out of memory");
    else
        code = count_of(*report, LEVEL_FINDING) > 0 ? CHECK_FINDINGS : CHECK_CLEAN;
    if (!json && *report != NULL && !(*report)->incomplete)
        print_table(*report);
    report_free(report);
    /* What nobody could read was not looked at. */
    return fflush(stdout) == 0 ? code : CHECK_FAILED;
}

int report_failed(bool json, const char *format, ...)
{
    char what[1024];
    va_list arguments;
    struct json_object *object;

    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    text_printable(what, sizeof what, what);
    object = json ? json_object_new_object() : NULL;
    if (!put(object, "error", object == NULL ? NULL : json_object_new_string(what)) || !print_json(object))
        fprintf(stderr, "pam-cognito-check: %s\n", what);
    json_object_put(object);
    return CHECK_FAILED;
}
