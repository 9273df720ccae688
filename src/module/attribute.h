/*
 * Which attribute is to be confirmed, if any.
 */
#ifndef PAM_COGNITO_ATTRIBUTE_H
#define PAM_COGNITO_ATTRIBUTE_H

#include "module/login.h"

/* Sets login->attribute, by the options `attribute` and `when`; where there is more than one to choose from, the user
 * chooses. Sets the state *not needed* where `when` asks for no code. Cognito is asked only where the options need it.
 * ERR_NO_ATTRIBUTE where the account has none of them; or the errors of a call and of the conversation. */
enum error attribute_choose(struct login *login);

#endif
