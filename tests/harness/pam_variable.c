/*
 * An earlier module of a stack: puts a variable into the PAM environment while it authenticates, as one that has got a
 * token would. None that systems come with does. Its argument is a file with NAME=value on one line.
 */
#include <security/pam_modules.h>
#include <stdio.h>
#include <string.h>

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    char pair[8192] = "";
    FILE *file = argc == 1 ? fopen(argv[0], "r") : NULL;

    (void)flags;
    if (file == NULL)
        return PAM_SERVICE_ERR;
    if (fgets(pair, sizeof pair, file) != NULL)
        pair[strcspn(pair, "\n")] = '\0';
    fclose(file);
    return pam_putenv(pamh, pair) == PAM_SUCCESS ? PAM_IGNORE : PAM_SYSTEM_ERR;
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)pamh;
    (void)flags;
    (void)argc;
    (void)argv;
    return PAM_IGNORE;
}
