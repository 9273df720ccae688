/*
 * Wrappers for libpam, by the section PAM of calls.def; and for the steps, whose verdicts go on the board.
 */
#include "inject.h"

#include "module/steps.h"

#include <errno.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdarg.h>
#include <string.h>

#define LIBC(name, value, failures)
#define PAM(name, value, failures) ROW(name, value, failures)
#define CURL(name, value, failures)
#define JSON(name, value, failures)
#define CRYPTO(name, value, failures)
#define SECCOMP(name, value, failures)
#define FREES(name)
#define ALSO(name)
#include "calls.def"

WRAP(int, pam_get_item, (const pam_handle_t *pamh, int item, const void **value), (pamh, item, value))
WRAP(int, pam_set_item, (pam_handle_t * pamh, int item, const void *value), (pamh, item, value))
WRAP(int, pam_get_data, (const pam_handle_t *pamh, const char *name, const void **data), (pamh, name, data))
WRAP(const char *, pam_getenv, (pam_handle_t * pamh, const char *name), (pamh, name))
WRAP(int, pam_putenv, (pam_handle_t * pamh, const char *pair), (pamh, pair))

typedef void (*cleanup_t)(pam_handle_t *pamh, void *data, int status);
int __real_pam_set_data(pam_handle_t *pamh, const char *name, void *data, cleanup_t cleanup);
int __wrap_pam_set_data(pam_handle_t *pamh, const char *name, void *data, cleanup_t cleanup);
int __wrap_pam_set_data(pam_handle_t *pamh, const char *name, void *data, cleanup_t cleanup)
{
    const struct failure *failure = NEXT(pam_set_data);
    struct board *board = inject_board();
    int status = failure == NULL ? __real_pam_set_data(pamh, name, data, cleanup) : failure->number;

    /* The record's: what pam_cognito_prepare.so leaves in the handle is none. */
    if (board != NULL && status == PAM_SUCCESS && strncmp(name, "pam_cognito ", 12) == 0)
        board->data_set++;
    return status;
}

int __real_pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt);
int __wrap_pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt);
int __wrap_pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
    const struct failure *failure = NEXT(pam_get_user);

    if (failure == NULL)
        return __real_pam_get_user(pamh, user, prompt);
    *user = NULL;
    return failure->number;
}

__attribute__((format(printf, 4, 5))) int __wrap_pam_prompt(pam_handle_t *pamh, int style, char **response,
                                                            const char *format, ...);
int __wrap_pam_prompt(pam_handle_t *pamh, int style, char **response, const char *format, ...)
{
    const struct failure *failure = NEXT(pam_prompt);
    va_list arguments;
    int status;

    if (failure != NULL) {
        if (response != NULL)
            *response = NULL;
        return failure->number;
    }
    va_start(arguments, format);
    status = pam_vprompt(pamh, style, response, format, arguments);
    va_end(arguments);
    return status;
}

/* Not to the system's log, which has nothing to do with it. */
__attribute__((format(printf, 3, 4))) void __wrap_pam_syslog(const pam_handle_t *pamh, int priority, const char *format,
                                                             ...);
void __wrap_pam_syslog(const pam_handle_t *pamh, int priority, const char *format, ...)
{
    va_list arguments;

    (void)pamh;
    (void)priority;
    va_start(arguments, format);
    inject_log(format, arguments);
    va_end(arguments);
}

static int judged(uint32_t step, uint32_t log_before, int code)
{
    struct board *board = inject_board();

    if (board != NULL && board->verdict_count < BOARD_VERDICTS)
        board->verdicts[board->verdict_count++] =
            (struct verdict){step, (uint32_t)code, log_before, atomic_load(&board->log_length)};
    return code;
}

static uint32_t logged(void)
{
    struct board *board = inject_board();

    return board == NULL ? 0 : atomic_load(&board->log_length);
}

/* As the sources declare them, whatever that is. */
__typeof__(step_code) __real_step_code, __wrap_step_code;
__typeof__(step_confirm) __real_step_confirm, __wrap_step_confirm;
__typeof__(step_guard) __real_step_guard, __wrap_step_guard;

int __wrap_step_code(pam_handle_t *pamh, int flags, int argc, const char *argv[])
{
    uint32_t before = logged();

    return judged(1, before, __real_step_code(pamh, flags, argc, argv));
}

int __wrap_step_confirm(pam_handle_t *pamh, int flags)
{
    uint32_t before = logged();

    return judged(2, before, __real_step_confirm(pamh, flags));
}

int __wrap_step_guard(pam_handle_t *pamh, int flags, int argc, const char *argv[])
{
    uint32_t before = logged();

    return judged(3, before, __real_step_guard(pamh, flags, argc, argv));
}
