/*
 * All the ways through a stack: is there one on which libpam says success, and the login is of a certain kind?
 */
#ifndef PAM_COGNITO_CHECK_SEARCH_H
#define PAM_COGNITO_CHECK_SEARCH_H

#include "check/dispatch.h"
#include "check/modules.h"

/* A line's results that lead to this action are left out: the way through them is known already. */
struct blocked {
    uint16_t at;
    int action;
};

struct question {
    const struct stack *stack;
    enum phase phase;              /* PHASE_AUTH or PHASE_ACCOUNT */
    const struct policy *policies; /* of each line */
    bool good;                     /* the steps of the code make no errors */
    const struct login *starts;    /* with what the ways begin */
    size_t start_count;
    bool after_success; /* they begin as if an earlier line had succeeded */
    enum chain cred;    /* not CHAIN_FRESH: pam_setcred() has to succeed too, */
    bool elsewhere;     /* or it alone, in a process that has not called pam_authenticate() */
    struct blocked blocked[64];
    size_t blocked_count;
    bool (*wanted)(const struct login *login); /* NULL: every login */
    enum module denied; /* not MODULE_OTHER: looked for is a login that is lost, and comes to a line of this module */
};

struct step {
    uint16_t at;
    int result, action;
    struct standing before, after;
    struct login login; /* afterwards */
};

/* The lines that were called, in order. Owns its steps. */
struct way {
    struct step *steps;
    size_t count;
    struct login login; /* at its end */
};

enum search_result { SEARCH_NONE, SEARCH_FOUND, SEARCH_FAILED };

/* Looks for a shortest way on which libpam lets the user in and the login is wanted. *way is the caller's to free with
 * way_free() when it was found; NULL may be passed. SEARCH_FAILED: memory is short, or there are too many. */
enum search_result search(const struct question *question, struct way *way);

void way_free(struct way *way);

#endif
