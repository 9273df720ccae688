/*
 * A module that stands for the first factor: what the file says that its argument names becomes PAM_AUTHTOK, as if a
 * user had typed it.
 */
#include <security/pam_modules.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char *argv[])
{
    char line[8192];
    FILE *file = argc == 0 ? NULL : fopen(argv[0], "re");
    const char *typed = file == NULL ? NULL : fgets(line, sizeof line, file);

    (void)flags;
    if (file != NULL)
        fclose(file);
    if (typed == NULL)
        return PAM_SUCCESS;
    line[strcspn(line, "\n")] = '\0';
    return pam_set_item(pamh, PAM_AUTHTOK, line);
}

EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char *argv[])
{
    (void)pamh;
    (void)flags;
    (void)argc;
    (void)argv;
    return PAM_SUCCESS;
}
