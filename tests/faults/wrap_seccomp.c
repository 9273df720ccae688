/*
 * Wrappers for libseccomp, by the section SECCOMP of calls.def. It is not everywhere.
 */
#include "inject.h"

#ifdef HAVE_LIBSECCOMP

#include <errno.h>
#include <seccomp.h>

#define LIBC(name, value, failures)
#define PAM(name, value, failures)
#define CURL(name, value, failures)
#define JSON(name, value, failures)
#define CRYPTO(name, value, failures)
#define SECCOMP(name, value, failures) ROW(name, value, failures)
#define FREES(name)
#define ALSO(name)
#include "calls.def"

WRAP_TAKEN(void, seccomp_init, (uint32_t action), (action), "filter")
WRAP(int, seccomp_attr_set, (scmp_filter_ctx filter, enum scmp_filter_attr attribute, uint32_t value),
     (filter, attribute, value))
WRAP(int, seccomp_rule_add_array,
     (scmp_filter_ctx filter, uint32_t action, int call, unsigned int count, const struct scmp_arg_cmp *tests),
     (filter, action, call, count, tests))
WRAP(int, seccomp_load, (scmp_filter_ctx filter), (filter))
WRAP_GIVEN(seccomp_release, void)

unsigned int __real_seccomp_api_get(void);
unsigned int __wrap_seccomp_api_get(void);
unsigned int __wrap_seccomp_api_get(void)
{
    const struct failure *failure = NEXT(seccomp_api_get);

    return failure == NULL ? __real_seccomp_api_get() : (unsigned int)failure->number;
}

#endif
