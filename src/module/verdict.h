/*
 * The verdicts: the only lines that can say PAM_SUCCESS, PAM_IGNORE or PAM_CRED_INSUFFICIENT in auth and account. They
 * look at plain facts, touch nothing, and are short enough to be checked in full.
 */
#ifndef PAM_COGNITO_VERDICT_H
#define PAM_COGNITO_VERDICT_H

#include <stdbool.h>

enum login_state {
    LOGIN_ATTEMPTED,  /* a code step began and nothing more is known: the state after every failure */
    LOGIN_PENDING,    /* a code was sent and an answer is stored */
    LOGIN_CONFIRMED,  /* Cognito accepted the code */
    LOGIN_EXEMPT,     /* a member of exempt_group */
    LOGIN_NOT_NEEDED, /* no code is needed: when = unverified, or remember */
};

struct facts {
    bool recorded; /* this handle holds a record; the other facts are its own */
    enum login_state state;
    bool answered;  /* a non-empty answer is stored */
    bool signed_in; /* the access token came from `signin` in this handle */
    bool used;      /* the companion has seen this record before */
    bool same_user; /* PAM_USER is still the user of the record */
    bool accepted;  /* Cognito accepted the pending code in this very call */
};

/* Each returns a PAM code. `failure` is the code of what went wrong, or PAM_SYSTEM_ERR where nothing is known to have
 * gone wrong. */

/* pam_cognito_code.so, auth. Never PAM_SUCCESS. */
int verdict_of_code(const struct facts *facts, int failure);

/* pam_cognito_confirm.so, auth. */
int verdict_of_confirm(const struct facts *facts, int failure);

/* pam_cognito_code.so, account: the guard. Never PAM_SUCCESS. `require`: deny also when no code step ran. */
int verdict_of_guard(const struct facts *facts, bool require);

#endif
