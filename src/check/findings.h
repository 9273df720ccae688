/*
 * One run of `pam-cognito-check stack`: what it looks at, and how it says what it found.
 */
#ifndef PAM_COGNITO_CHECK_FINDINGS_H
#define PAM_COGNITO_CHECK_FINDINGS_H

#include "check/modules.h"
#include "check/pamd.h"
#include "check/report.h"

enum rule {
#define RULE(id, name, level, what, advice) RULE_##id,
#include "check/rules.def"
#undef RULE
    RULE_COUNT
};

/* What was said of a place, to say it once. */
struct said {
    enum rule rule;
    char *of;
};

/* Owns what `said` and `policies` hold. */
struct check {
    struct report *report;
    const char *name; /* of the service */
    struct service *service;
    struct policy *policies[PHASES]; /* of each line, in auth and account */
    bool part;                       /* the block alone, to be taken in by a service */
    bool failed;                     /* it could not look, */
    char why[1024];                  /* because of this, or because memory is short or there are too many ways */
    struct said *said;
    size_t said_count;
    size_t count[RULE_COUNT];
};

/* For the places %1, %2 and %3 of a rule, and what is put after it; NULL is "". */
struct texts {
    const char *first, *second, *third, *more;
};

/* Says a rule about FILE:LINE, or the file where `number` is 0, unless it was said of that before. */
void check_say(struct check *check, enum rule rule, const char *file, unsigned int number, const struct texts *texts);

/* The same about a line; NULL is the service's file. */
void check_say_line(struct check *check, enum rule rule, const struct line *line, const struct texts *texts);

/* How a line is shown: its phase, control and module. Returns `out`. */
char *check_show_line(char *out, size_t size, enum phase phase, const struct line *line);

/* Where a line stands: FILE:LINE. Returns `out`. */
char *check_show_place(char *out, size_t size, const struct line *line);

void check_free(struct check *check);

/* Reads the options of all lines of ours, beside the file `config`; sets *code_timeout to the longest of them. */
void check_policies(struct check *check, const char *config, unsigned int *code_timeout);

/* Who gets through auth without a confirmed code? */
void check_ways_in(struct check *check);

/* Who gets through account without one? */
void check_guard(struct check *check);

/* Does everybody get in who should? */
void check_ways_for_all(struct check *check);

/* Whether the account lines let in who comes without any record, as after sshd's own publickey. */
bool check_account_without_record(struct check *check);

/* Whether there is a login with a right code, and nothing else that only the user has or knows; and says so. */
bool check_code_is_alone(struct check *check);
void check_say_alone(struct check *check);

#endif
