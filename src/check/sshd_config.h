/*
 * sshd_config, as far as it says how one may log in: with Include and Match, as OpenSSH 8.7 and later read it.
 */
#ifndef PAM_COGNITO_CHECK_SSHD_CONFIG_H
#define PAM_COGNITO_CHECK_SSHD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

enum keyword {
    KEY_USE_PAM,
    KEY_SERVICE,
    KEY_GRACE,
    KEY_METHODS,
    KEY_KBDINT,
    KEY_PASSWORD,
    KEY_PUBKEY,
    KEY_HOSTBASED,
    KEY_GSSAPI,
    KEY_EMPTY,
    KEY_ROOT,
    KEYWORDS
};

/* One line that says something of a keyword. */
struct setting {
    enum keyword keyword;
    size_t block; /* the Match block that it stands in, or 0 */
    char *value;  /* its words, with one blank between them */
    char *file;
    unsigned int number;
};

/* What a Match line says. Block 0 is what stands before all of them. */
struct block {
    char *criteria;
    bool for_all;   /* Match all */
    bool for_users; /* it names users or groups */
};

/* Owns all of it. */
struct sshd_config {
    const char *file; /* borrowed */
    struct setting *settings;
    size_t setting_count;
    struct block *blocks;
    size_t block_count;
};

/* Reads the file; the caller frees with sshd_config_free(), also after false, when `why` says what could not be read.
 */
bool sshd_config_read(struct sshd_config *config, const char *file, char *why, size_t size);

void sshd_config_free(struct sshd_config *config);

/* The value for those whom the block is for, and its place: FILE with 0 for a default. */
const char *sshd_config_value(const struct sshd_config *config, enum keyword keyword, size_t block, const char **file,
                              unsigned int *number);

/* Whether the Match block itself says something of the keyword, or of any, which is KEYWORDS. */
bool sshd_config_says(const struct sshd_config *config, size_t block, enum keyword keyword);

#endif
