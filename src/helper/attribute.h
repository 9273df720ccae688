/*
 * The two operations that this is all about: having a code sent, and confirming it.
 *
 * Source: Amazon Cognito user pools API reference, GetUserAttributeVerificationCode and VerifyUserAttribute.
 */
#ifndef PAM_COGNITO_HELPER_ATTRIBUTE_H
#define PAM_COGNITO_HELPER_ATTRIBUTE_H

#include "helper/session.h"

/* MSG_SEND: has Cognito send a code for the attribute. Where Cognito says where it went, `result` has it. */
handler send_run;

/* MSG_VERIFY: confirms the code. */
handler verify_run;

#endif
