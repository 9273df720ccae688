/*
 * The helper as the module sees it: started, asked, ended.
 */
#ifndef PAM_COGNITO_CLIENT_H
#define PAM_COGNITO_CLIENT_H

#include "common/deadline.h"
#include "common/errors.h"
#include "common/message.h"

/* One helper process and the connection to it. */
struct helper;

/* Starts the helper and sends it `start`, without waiting for anything: it connects while the user is asked. *helper is
 * the caller's, to be ended with helper_end(). On ERR_HELPER `why` says what is wrong with which file. */
enum error helper_start(struct helper **helper, const struct start_message *start, char *why, size_t size);

/* Sends the request and waits for its result, until `deadline`. The error is the result's own, or one of the way there
 * (ERR_DEADLINE, ERR_HELPER_LOST); after one of those the helper has ended. The strings of `result` stay valid until
 * the next call. */
enum error helper_call(struct helper *helper, enum message_type type, const void *message, deadline_t deadline,
                       struct result_message *result);

/* Sends a request whose result nobody waits for: the next call takes it, and fails where it was a failure. */
void helper_post(struct helper *helper, enum message_type type, const void *message, deadline_t deadline);

/* A helper that has waited longer serves nobody: a server closes a connection that is idle for long. */
#define HELPER_SERVES_MS 120000

/* True when the helper lives, was started by this process less than HELPER_SERVES_MS ago, was sent exactly this message
 * first, and has not been called. */
bool helper_serves(struct helper *helper, const struct start_message *start);

/* One line on what of its lockdown the kernel and the build could do; "" before the first call. */
const char *helper_lockdown(const struct helper *helper);

/* Ends the helper and frees *helper, which is NULL afterwards. In a process other than the one that started it (a child
 * of the host that inherited the login) the helper is left alone. NULL may be passed. */
void helper_end(struct helper **helper);

#endif
