/*
 * What the modules of a stack may say, and what a login is known by: the model's half of the contract.
 */
#ifndef PAM_COGNITO_CHECK_MODULES_H
#define PAM_COGNITO_CHECK_MODULES_H

#include "check/pamd.h"

#include <stdint.h>

enum module {
    MODULE_OTHER,   /* unknown: may say anything, and may be a real factor */
    MODULE_SETTER,  /* known to ask the user for nothing: may say anything, and is no factor */
    MODULE_NOLOGIN, /* a setter that never says success, nor that a new password is due */
    MODULE_PERMIT,
    MODULE_DENY,
    MODULE_ROOTOK,
    MODULE_CODE,
    MODULE_CONFIRM,
    MODULE_PREPARE, /* says nothing, ever */
};

/* The record in the handle. */
enum record {
    RECORD_NONE,
    RECORD_ATTEMPTED,
    RECORD_PENDING,
    RECORD_CONFIRMED,
    RECORD_EXEMPT,
    RECORD_NOT_NEEDED,
};

enum fact {
    FACT_SIGNED_IN = 1,   /* the record's token came from a sign-in of this login */
    FACT_USED = 2,        /* the companion has seen the record */
    FACT_FACTOR = 4,      /* the user has shown something that only he has or knows, apart from the code */
    FACT_PROVED = 8,      /* Cognito has accepted a code */
    FACT_ROOT = 16,       /* root himself called the program */
    FACT_NO_CODE = 32,    /* pam_cognito_code.so cannot be loaded */
    FACT_NO_CONFIRM = 64, /* pam_cognito_confirm.so cannot be loaded */
};

struct login {
    uint8_t record;
    uint8_t facts;
};

/* What the options allow a line of pam_cognito_code.so, and the service one of pam_rootok.so. */
struct policy {
    bool known;      /* the options could be read */
    bool exempt;     /* there may be members of exempt_group */
    bool not_needed; /* there may be logins that need no code */
    bool signs_in;   /* the token may come from a sign-in, */
    bool brought;    /* from the user (authtok, env), */
    bool found;      /* from this host (file, command) */
    bool require;    /* the guard's */
    bool rootok;     /* pam_rootok.so tells root from the others */
};

struct outcome {
    int result;
    struct login login; /* afterwards */
};

/* Each result that PAM has, at most, in a few logins. */
#define OUTCOMES_MOST (_PAM_RETURN_VALUES + 8)

enum module module_of(const struct line *line);

/* The service is called by a user who is not yet root: pam_rootok.so then tells root from the others. */
bool module_rootok_counts(const char *service);

/* Fills in what may come of the line in that phase, the best of it first; the count. Of results that lead to the same
 * action one stands for all. `good`: the steps of the code make no errors. */
size_t module_outcomes(const struct line *line, enum phase phase, const struct policy *policy, bool good,
                       struct login login, struct outcome outcomes[OUTCOMES_MOST]);

/* The same for pam_setcred(). */
size_t module_cred_outcomes(const struct line *line, struct outcome outcomes[OUTCOMES_MOST]);

/* A result by which a step of the code refuses, and which the line does not take for a denial; PAM_SUCCESS if none. */
int module_weak_refusal(const struct line *line, enum phase phase);

#endif
