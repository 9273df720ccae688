/*
 * What pam-cognito-check wants to know of the helper beyond what a login does.
 */
#ifndef PAM_COGNITO_HELPER_REPORT_H
#define PAM_COGNITO_HELPER_REPORT_H

#include "helper/session.h"

/* MSG_REPORT: how the pool's keys were reached, or what the last token was checked for. */
handler report_run;

#endif
