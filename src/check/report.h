/*
 * What one run found, as a table for a person or as JSON for a machine.
 */
#ifndef PAM_COGNITO_CHECK_REPORT_H
#define PAM_COGNITO_CHECK_REPORT_H

#include <stdbool.h>
#include <stddef.h>

/* How much a row matters: a finding makes the exit code 1. */
enum level { LEVEL_OK, LEVEL_NOTE, LEVEL_FINDING };

struct report;

/* A report of `command` without rows. The columns' names, which must outlive it, are the keys in JSON and the heading
 * of the table. The last column is advice: in the table it stands beneath its row, where there is any. At most eight
 * columns. NULL when memory is short; the functions below take that. */
struct report *report_new(const char *command, const char *const columns[], size_t count);

/* Adds a row of `count` cells, which are copied; NULL is "". Whatever is not printable ASCII is shown as '?', so that
 * strangers' text can be passed. */
void report_row(struct report *report, enum level level, const char *const cells[]);

/* Prints the report, frees it, and sets *report to NULL. The exit code: 0, 1 when a row is a finding, or 2 when memory
 * was short. */
int report_end(struct report **report, bool json);

/* Frees a report that is not to be printed; *report is NULL afterwards. NULL may be passed. */
void report_free(struct report **report);

/* Nothing could be looked at: one line on standard error that says why, or with `json` an object with the member
 * "error" on standard output. Always 2. */
__attribute__((format(printf, 2, 3))) int report_failed(bool json, const char *format, ...);

#endif
