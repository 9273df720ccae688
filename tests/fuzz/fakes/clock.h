/* The clock of common/deadline.h, which stands still until it is moved, and ends every wait at once. */
#ifndef PAM_COGNITO_FUZZ_CLOCK_H
#define PAM_COGNITO_FUZZ_CLOCK_H

#include "common/deadline.h"

extern int64_t fake_now; /* milliseconds */

#endif
