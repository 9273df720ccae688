/*
 * What pam-cognito-command keeps for itself while the command runs.
 */
#ifndef PAM_COGNITO_COMMAND_CONFINE_H
#define PAM_COGNITO_COMMAND_CONFINE_H

/* Gives up, for good and for this process alone, all but what it takes to end the command: the capability to signal
 * another user's processes, and to read /proc where its children are listed. After the command has started, which is to
 * have its user's rights. NULL when done, else the name of the call that failed, with errno set. */
const char *confine(void);

#endif
