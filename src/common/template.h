/*
 * Templates: %u PAM user, %h this host's name, %s service, %r PAM_RHOST, %t PAM_TTY, %%.
 */
#ifndef PAM_COGNITO_TEMPLATE_H
#define PAM_COGNITO_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

/* What the letters stand for in this login. Borrowed; NULL counts as "". */
struct template_values {
    const char *user, *host, *service, *rhost, *tty;
};

/* True when every % is followed by a letter of the list above. */
bool template_is_valid(const char *template);

/* Expands a valid template into `out`. False when it does not fit. */
bool template_expand(const char *template, const struct template_values *values, char *out, size_t size);

/* Like template_expand(), for a path: false also when a value is empty, contains '/' or begins with '.', so that no
 * value can name another directory. */
bool template_expand_path(const char *template, const struct template_values *values, char *out, size_t size);

#endif
