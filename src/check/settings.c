#include "check/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool settings_need_root(const char *path)
{
    return geteuid() != 0 && access(path, R_OK) != 0 && errno == EACCES;
}

bool settings_find(const char *named, char *path, size_t size, char *why, size_t why_size)
{
    const char *file = named == NULL ? DEFAULT_CONF : named;
    char folder[PATH_MAX];
    int length;

    if (*file == '/')
        length = snprintf(path, size, "%s", file);
    else if (getcwd(folder, sizeof folder) != NULL)
        length = snprintf(path, size, "%s/%s", folder, file);
    else
        length = -1;
    if (length < 0 || (size_t)length >= size) {
        snprintf(why, why_size, "%s: not the path of a file", file);
        return false;
    }
    if (settings_need_root(path)) {
        snprintf(why, why_size, "%s: only root may read it: run this as root", path);
        return false;
    }
    if (access(path, F_OK) == 0)
        return true;
    snprintf(why, why_size, "%s: %s%s", path, strerrordesc_np(errno),
             named == NULL ? " (the arguments of pam_cognito_code.so may say all; name the file that conf= names)"
                           : "");
    return false;
}
