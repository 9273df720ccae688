/* What every cmocka program needs, in the order in which cmocka needs it. */
#ifndef PAM_COGNITO_UNIT_H
#define PAM_COGNITO_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof *(array))

#endif
