/*
 * System calls for which a C library may have no function yet: musl before 1.2.6, for one.
 */
#ifndef PAM_COGNITO_COMPAT_H
#define PAM_COGNITO_COMPAT_H

#ifndef HAVE_RENAMEAT2

#include <sys/syscall.h>
#include <unistd.h>

#define RENAME_NOREPLACE (1 << 0)

/* renameat2(2) */
static inline int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

#endif

#endif
