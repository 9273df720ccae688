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

/* The places of options.def's rows, as OPTION_<field>. */
enum option_place {
#define OPTION(key, type, field, value, least, most, choices) OPTION_##field,
#include "common/options.def"
#undef OPTION
    OPTIONS_COUNT
};

/* Where a value came from: "file", "argument", "default" or "derived from …"; NULL where there is none. Static. The
 * line is that of the file, of the first where a key repeats, also of a value that was refused; else 0. */
struct option_origin {
    const char *from;
    unsigned int line;
};

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
    struct option_origin origins[OPTIONS_COUNT];
};

/* What `why` needs at most. */
#define OPTIONS_WHY 512

/* Reads the file that a conf= argument names, else `file` if it exists, then the arguments, which override it; fills in
 * the defaults and what follows from other keys (endpoint, issuer, jwks_url). `options` is freed by the caller with
 * options_free(), also after a failure. False, with `why` for the log ("FILE:LINE: what", or "argument KEY: what"), for
 * whatever cannot be taken exactly as it stands. */
bool options_load(struct options *options, const char *file, int argc, const char *const argv[], char *why,
                  size_t size);

/* Hears of one thing that cannot be taken as it stands; `why` as above. */
typedef void options_heed(void *data, const char *why);

/* Like options_load() of `file`, which must exist, and no arguments; but it goes on to the end of the file, and `heed`
 * is called for everything that options_load() would stop at. `options` holds what could be taken. */
bool options_read(struct options *options, const char *file, options_heed *heed, void *data);

/* One option as it counts after a load. */
struct option {
    const char *key;
    char *value; /* as the file would say it, the items of a list with ", " between them; NULL where there is none */
    struct option_origin origin;
};

/* The option in the row `place` of options.def. False when memory is short. `option` is the caller's to free with
 * option_free(). */
bool options_at(const struct options *options, enum option_place place, struct option *option);

void option_free(struct option *option);

/* Frees what `options` owns; all of it is absent afterwards. */
void options_free(struct options *options);

#endif
