/*
 * What outlives a login: small files under STATE_DIR, root's own.
 *
 * Every file has one form: a head, then its key, then what its kind adds. Times in it are CLOCK_BOOTTIME, which no
 * clock setting moves, and mean something only together with the boot id beside them. A file appears whole or not at
 * all.
 */
#ifndef PAM_COGNITO_STATE_H
#define PAM_COGNITO_STATE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef STATE_DIR
#define STATE_DIR "/run/pam-cognito"
#endif

#define STATE_BOOT_ID  36
#define STATE_KEY_MOST 1024
#define STATE_MOST     (10 * 1024) /* bytes of a file */

enum state_result {
    STATE_OK,
    STATE_ABSENT, /* there is no such file, or not any more */
    STATE_EXISTS, /* there is one already */
    STATE_FAILED, /* `why` says which file or directory, and what is wrong */
};

/* The directory for the length of a call. `why` is borrowed from the caller. */
struct state {
    int dir;
    char boot_id[STATE_BOOT_ID + 1];
    char *why;
    size_t why_size;
};

/* The strings by which a file is found again. The first `naming` of them name it, 0: all; the others are only compared.
 */
struct state_key {
    size_t count, naming;
    const char *fields[8];
};

/* `check` makes a head that was not written as a whole, by this code, look wrong. Not a signature: who can write here
 * is root. */
struct state_head {
    char magic[8];
    char boot_id[40];
    int64_t at;      /* state_now() when the file was made */
    uint32_t number; /* for the kind of file to say */
    uint32_t key_length;
    uint64_t check;
};

/* A file's bytes: a head, `head.key_length` bytes of key, then the rest. */
struct state_image {
    size_t length;
    unsigned char bytes[STATE_MOST];
};

/* Milliseconds since the machine was started, sleep included. */
int64_t state_now(void);

/* A short number for bytes, to notice what was not meant; continues `before`, which is 0 at the start. */
uint64_t state_hash(uint64_t before, const void *bytes, size_t length);

/* Opens the directory, which must be root's with mode 0700 and no link. `make`: it is made where it is missing;
 * otherwise that is STATE_ABSENT. The caller ends with state_close() in any case. */
enum state_result state_open(struct state *state, bool make, char *why, size_t why_size);
void state_close(struct state *state);

/* Says in `why` that the file (NULL: the directory) has this fault. Returns STATE_FAILED. */
enum state_result state_fail(const struct state *state, const char *name, const char *fault);

/* The name of the file for a key: readable and one to one, unless that is too long: then its beginning and a hash,
 * and two keys may meet in one name. The key in the file is what counts. */
void state_name(char (*name)[NAME_MAX + 1], const char *prefix, const struct state_key *key);

/* Opens a file by these rules: regular, root's, mode 0600, one name. `flags` are open(2)'s access mode. On STATE_OK the
 * caller closes *fd; otherwise it is -1. */
enum state_result state_open_file(const struct state *state, const char *name, int flags, int *fd);

/* Locks an opened file, waiting `patience` milliseconds at most; a process that ends leaves no lock. STATE_ABSENT: the
 * file was removed or replaced meanwhile, so open it again. */
enum state_result state_lock(const struct state *state, const char *name, int fd, int patience);

/* Unlocks, also for children that have inherited the descriptor, and closes. -1 may be passed. */
void state_close_file(int fd);

/* Reads a file whole. STATE_OK: the head and the length of the key are right; what follows the key is not looked at. */
enum state_result state_read(const struct state *state, const char *name, int fd, struct state_image *image);

/* The head of an image that was read, and where the rest begins. */
struct state_head state_head_of(const struct state_image *image);
size_t state_rest_of(const struct state_image *image);

/* True when the image has exactly this key, and when it was written since the machine was started. */
bool state_has_key(const struct state_image *image, const struct state_key *key);
bool state_is_of_this_boot(const struct state *state, const struct state_image *image);

/* Begins an image: the head with the time now, the key, and `rest` zero bytes. False when that is too long. */
bool state_fill(const struct state *state, struct state_image *image, const struct state_key *key, uint32_t number,
                size_t rest);

/* Makes the file, whole or not at all; with `replace` in the place of another one, otherwise STATE_EXISTS where there
 * is one. All its space is taken now: to write over its bytes needs no more. */
enum state_result state_write(const struct state *state, const char *name, const struct state_image *image,
                              bool replace);

/* Writes over a few bytes of a file, of which a process that is killed writes all or none: they lie in one page. */
enum state_result state_overwrite(const struct state *state, const char *name, int fd, size_t at, const void *bytes,
                                  size_t length);

/* Removes a file. */
void state_remove(const struct state *state, const char *name);

/* Shows some files, whose names begin with `prefix`, to `look`, which may remove them, and removes what interrupted
 * state_write()s left. To be called before each file that is made: it goes through SWEEP of them, from a place that
 * differs each time, so that when more than one in SWEEP (64) can go, more go than come. */
void state_sweep(const struct state *state, const char *prefix, void (*look)(const struct state *, const char *name));

#endif
