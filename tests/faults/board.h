/*
 * The board: a file that the test and all processes of a login have mapped. On it stands which calls are to fail, and
 * what was seen. The environment of the helper is empty, so it finds the board by its name, in the test's own /run.
 *
 * The test reads and writes it by board.py, which has to agree.
 */
#ifndef FAULTS_BOARD_H
#define FAULTS_BOARD_H

#include <stdatomic.h>
#include <stdint.h>

#define BOARD_FILE "/run/pamcog-tests/board"

#define BOARD_CALLS    192 /* rows of calls.def, at most */
#define BOARD_RECORDS  16384
#define BOARD_VERDICTS 16
#define BOARD_PROGRAMS 16
#define BOARD_LOG      (64 * 1024)
#define BOARD_LEFT     (8 * 1024)
#define BOARD_CRASH    1024

/* Who calls: the modules and what they clone before it executes something else; the helper; pam-cognito-command and the
 * child that becomes the command. */
enum role { ROLE_MODULE, ROLE_HELPER, ROLE_COMMAND, ROLES };

/* One fault. It is due at the nth call of a function in a role, counted from 1; or, with `after` > 0, at so manyeth
 * call of any function after the first order was met. */
struct order {
    uint32_t due; /* 1 while it is to be met */
    uint32_t role, call, nth;
    uint32_t after;
    uint32_t failure; /* which one, modulo their number */
    atomic_uint met;  /* the number of the call that it met, counting all, or 0 */
    uint32_t met_role, met_call, met_failure, met_site;
};

struct record {
    uint16_t role, call;
    uint32_t nth;
    uint32_t path; /* a number for the functions on the stack */
    uint32_t site; /* the call's place, as an offset into its file */
};

struct verdict {
    uint32_t step; /* 1 code, 2 confirm, 3 guard */
    uint32_t code; /* PAM's */
    uint32_t log_before, log_after;
};

struct board {
    struct order orders[2];
    uint32_t lenient;      /* nobody is killed by the modules: a program is to end by itself when its peer has gone */
    uint32_t deep;         /* the memory that the helper's libraries take counts too */
    uint32_t later[ROLES]; /* by how many seconds its clock is ahead */
    atomic_uint calls;
    atomic_uint counts[ROLES][BOARD_CALLS];
    struct record records[BOARD_RECORDS];
    uint32_t data_set; /* how often pam_set_data() took a record */
    uint32_t verdict_count;
    struct verdict verdicts[BOARD_VERDICTS];
    atomic_uint log_length;
    char log[BOARD_LOG];
    atomic_uint started, ended; /* programs; those that ended by themselves, and their main function returned */
    uint32_t pids[BOARD_PROGRAMS];
    atomic_uint left_length;
    char left[BOARD_LEFT]; /* what the programs had not freed, a line each */
    atomic_uint crash_length;
    char crash[BOARD_CRASH]; /* the stack of a program that died of a signal, a line each */
};

#endif
