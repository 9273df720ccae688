/*
 * The configuration that is looked at.
 */
#ifndef PAM_COGNITO_CHECK_SETTINGS_H
#define PAM_COGNITO_CHECK_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

/* Writes the absolute path of the configuration file, `named` on the command line or the compiled-in one. False with
 * `why` where it cannot be looked at: it does not exist, or only root may read it. */
bool settings_find(const char *named, char *path, size_t size, char *why, size_t why_size);

/* True when this process may not look at the file or directory, but root may. */
bool settings_need_root(const char *path);

#endif
