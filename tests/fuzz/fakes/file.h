/* Files as common/safe_file.h reads them: the target says what is there. */
#ifndef PAM_COGNITO_FUZZ_FILE_H
#define PAM_COGNITO_FUZZ_FILE_H

#include "common/safe_file.h"

/* Asked for each file that is read or looked at; `content` is NULL for the latter. NULL: there are no files. */
extern enum safe_result (*fake_file)(const char *path, size_t most, struct secret *content);

#endif
