/*
 * Options: the configuration file and the module's arguments, through one table (options.def).
 */
#ifndef PAM_COGNITO_OPTIONS_H
#define PAM_COGNITO_OPTIONS_H

#include "common/strings.h"

#include <stdbool.h>
#include <stddef.h>

/* The choices of options.def, in its order. */
enum { SIGNIN_SRP, SIGNIN_PASSWORD };
enum { WHEN_ALWAYS, WHEN_UNVERIFIED };

/* One field for each row of options.def, by its type: text is an owned string or NULL, a list is owned, numbers are in
 * the unit of the row, a choice is its place among the row's choices. */
struct options {
#define TEXT                                                  char *
#define TYPE_name                                             TEXT
#define TYPE_path                                             TEXT
#define TYPE_url                                              TEXT
#define TYPE_template                                         TEXT
#define TYPE_claim                                            TEXT
#define TYPE_number                                           unsigned int
#define TYPE_choice                                           unsigned int
#define TYPE_flag                                             bool
#define TYPE_boolean                                          bool
#define TYPE_words                                            struct strings
#define TYPE_names                                            struct strings
#define TYPE_sources                                          struct strings
#define TYPE_metadata                                         struct strings
#define OPTION(key, type, field, value, least, most, choices) TYPE_##type field;
#include "common/options.def"
#undef OPTION
#undef TEXT
};

/* What `why` needs at most. */
#define OPTIONS_WHY 512

/* Reads the file that a conf= argument names, else `file` if it exists, then the arguments, which override it; fills in
 * the defaults and what follows from other keys (endpoint, issuer, jwks_url). `options` is freed by the caller with
 * options_free(), also after a failure. False, with `why` for the log ("FILE:LINE: what", or "argument KEY: what"), for
 * whatever cannot be taken exactly as it stands. */
bool options_load(struct options *options, const char *file, int argc, const char *const argv[], char *why,
                  size_t size);

/* Frees what `options` owns; all of it is absent afterwards. */
void options_free(struct options *options);

#endif
