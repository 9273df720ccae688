#include "module/state.h"

#include "common/compat.h"
#include "common/deadline.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

static const char magic[8] = "pamcog\n1";

/* What a file is called until it is whole: this, and when that began in nanoseconds since the boot. */
#define UNFINISHED          "new-"
#define UNFINISHED_MOST_NS  60000000000
#define UNFINISHED_ATTEMPTS 100

#define LOCK_NAP_NS 1000000
#define SWEEP       64

/* Longer names are cut here. The kind of file, a comma, '~' and 16 digits have to find room as well. */
#define NAME_PLAIN_MOST 200
#define NAME_CUT        120

static int64_t boot_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t state_now(void)
{
    return boot_ns() / 1000000;
}

/* FNV-1a. */
uint64_t state_hash(uint64_t before, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    uint64_t hash = before == 0 ? 14695981039346656037U : before;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * 1099511628211U;
    return hash;
}

enum state_result state_fail(const struct state *state, const char *name, const char *fault)
{
    snprintf(state->why, state->why_size, "%s%s%s: %s", STATE_DIR, name == NULL ? "" : "/", name == NULL ? "" : name,
             fault);
    return STATE_FAILED;
}

static enum state_result fail_errno(const struct state *state, const char *name)
{
    return state_fail(state, name, strerrordesc_np(errno));
}

/* Reads until `most` bytes or the end. -1 with errno. */
static ssize_t read_most(int fd, void *bytes, size_t most)
{
    size_t length = 0;

    while (length < most) {
        ssize_t got = read(fd, (char *)bytes + length, most - length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

static bool write_all(int fd, const void *bytes, size_t length, off_t at)
{
    struct rlimit limit;

    /* Beyond the limit the kernel kills the host, su for example, whose caller has set it. */
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur < (rlim_t)at + length) {
        errno = EFBIG;
        return false;
    }
    for (size_t done = 0; done < length;) {
        ssize_t put = pwrite(fd, (const char *)bytes + done, length - done, at + (off_t)done);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        done += (size_t)put;
    }
    return true;
}

static enum state_result read_boot_id(struct state *state)
{
    int fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read_most(fd, state->boot_id, STATE_BOOT_ID);

    if (fd >= 0)
        close(fd);
    if (length == STATE_BOOT_ID)
        return STATE_OK;
    snprintf(state->why, state->why_size, "%s: cannot be read", BOOT_ID_FILE);
    return STATE_FAILED;
}

static enum state_result check_dir(const struct state *state)
{
    struct stat stat;

    if (fstat(state->dir, &stat) != 0)
        return fail_errno(state, NULL);
    if (stat.st_uid != 0)
        return state_fail(state, NULL, "not owned by root");
    if ((stat.st_mode & 07777 & ~S_IRWXU) != 0)
        return state_fail(state, NULL, "its mode is not 0700");
    /* Made by a host whose umask takes even from the owner; perhaps by another process, just now. */
    if ((stat.st_mode & 07777) != S_IRWXU && fchmod(state->dir, S_IRWXU) != 0)
        return fail_errno(state, NULL);
    return STATE_OK;
}

enum state_result state_open(struct state *state, bool make, char *why, size_t why_size)
{
    *state = (struct state){.dir = -1, .why = why, .why_size = why_size};
    if (make && mkdir(STATE_DIR, S_IRWXU) != 0 && errno != EEXIST)
        return fail_errno(state, NULL);
    state->dir = open(STATE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (state->dir < 0 && errno == ENOENT && !make)
        return STATE_ABSENT;
    if (state->dir < 0 && (errno == ENOTDIR || errno == ELOOP))
        return state_fail(state, NULL, "a link, or not a directory");
    if (state->dir < 0)
        return fail_errno(state, NULL);
    if (check_dir(state) != STATE_OK)
        return STATE_FAILED;
    return read_boot_id(state);
}

void state_close(struct state *state)
{
    if (state->dir >= 0)
        close(state->dir);
    state->dir = -1;
}

/* Letters, digits and a few more as they are, the rest as %XX; false when it does not fit. */
static bool encode(char *out, size_t size, size_t *at, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@:";

    for (; *text != '\0'; text++) {
        bool is_plain = strchr(plain, *text) != NULL;

        if (*at + (is_plain ? 1 : 3) >= size)
            return false;
        *at += (size_t)snprintf(out + *at, size - *at, is_plain ? "%c" : "%%%02X", (unsigned char)*text);
    }
    return true;
}

void state_name(char (*name)[NAME_MAX + 1], const char *prefix, const struct state_key *key)
{
    size_t at = (size_t)snprintf(*name, sizeof *name, "%s", prefix);
    size_t count = key->naming != 0 ? key->naming : key->count;
    uint64_t hash = 0;
    bool fits = true;

    for (size_t i = 0; i < count; i++) {
        /* With the NUL, so that no two lists of strings are the same bytes. */
        hash = state_hash(hash, key->fields[i], strlen(key->fields[i]) + 1);
        if (fits && i > 0)
            (*name)[at++] = ',';
        (*name)[at] = '\0';
        fits = fits && encode(*name, NAME_PLAIN_MOST, &at, key->fields[i]);
    }
    if (!fits)
        snprintf(*name + NAME_CUT, sizeof *name - NAME_CUT, "~%016llx", (unsigned long long)hash);
}

static const char *fault_of(const struct stat *stat)
{
    if (!S_ISREG(stat->st_mode))
        return "not a regular file: remove it";
    if (stat->st_uid != 0)
        return "not owned by root: remove it";
    if ((stat->st_mode & 07777) != (S_IRUSR | S_IWUSR))
        return "its mode is not 0600: remove it";
    if (stat->st_nlink > 1)
        return "it has more than one link: remove it";
    return NULL;
}

enum state_result state_open_file(const struct state *state, const char *name, int flags, int *fd)
{
    enum state_result result = STATE_FAILED;
    const char *fault;
    struct stat stat;

    *fd = openat(state->dir, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (*fd < 0 && errno == ENOENT)
        return STATE_ABSENT;
    if (*fd < 0 && (errno == ELOOP || errno == EISDIR))
        return state_fail(state, name, "a link or a directory: remove it");
    if (*fd < 0 || fstat(*fd, &stat) != 0) {
        fail_errno(state, name);
    } else {
        fault = fault_of(&stat);
        if (fault != NULL)
            state_fail(state, name, fault);
        else
            result = stat.st_nlink == 0 ? STATE_ABSENT : STATE_OK;
    }
    if (result != STATE_OK && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return result;
}

enum state_result state_lock(const struct state *state, const char *name, int fd, int patience)
{
    const struct timespec nap = {.tv_nsec = LOCK_NAP_NS};
    deadline_t deadline = deadline_in(patience);
    struct stat stat;

    /* Asked for again and again: to be woken from a wait would take a signal, and signals are the host's. */
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return fail_errno(state, name);
        if (deadline_left(deadline) == 0)
            return state_fail(state, name, "another process keeps it locked: see fuser(1)");
        nanosleep(&nap, NULL);
    }
    if (fstat(fd, &stat) != 0)
        return fail_errno(state, name);
    return stat.st_nlink == 0 ? STATE_ABSENT : STATE_OK;
}

void state_close_file(int fd)
{
    if (fd < 0)
        return;
    flock(fd, LOCK_UN);
    close(fd);
}

static uint64_t check_of(const struct state_image *image)
{
    struct state_head head = state_head_of(image);

    head.check = 0;
    return state_hash(state_hash(0, &head, sizeof head), image->bytes + sizeof head, head.key_length);
}

enum state_result state_read(const struct state *state, const char *name, int fd, struct state_image *image)
{
    ssize_t length = read_most(fd, image->bytes, sizeof image->bytes);
    struct state_head head;

    if (length < 0)
        return fail_errno(state, name);
    image->length = (size_t)length;
    if (image->length >= sizeof head && image->length < sizeof image->bytes) {
        head = state_head_of(image);
        if (memcmp(head.magic, magic, sizeof magic) == 0 && head.key_length <= STATE_KEY_MOST &&
            head.key_length <= image->length - sizeof head && head.check == check_of(image))
            return STATE_OK;
    }
    return state_fail(state, name, "its content is damaged, or of another program: remove it");
}

struct state_head state_head_of(const struct state_image *image)
{
    struct state_head head;

    memcpy(&head, image->bytes, sizeof head);
    return head;
}

size_t state_rest_of(const struct state_image *image)
{
    return sizeof(struct state_head) + state_head_of(image).key_length;
}

bool state_has_key(const struct state_image *image, const struct state_key *key)
{
    const unsigned char *at = image->bytes + sizeof(struct state_head);
    size_t left = state_head_of(image).key_length;

    for (size_t i = 0; i < key->count; i++) {
        size_t size = strlen(key->fields[i]) + 1;

        if (size > left || memcmp(at, key->fields[i], size) != 0)
            return false;
        at += size;
        left -= size;
    }
    return left == 0;
}

bool state_is_of_this_boot(const struct state *state, const struct state_image *image)
{
    struct state_head head = state_head_of(image);

    return memcmp(head.boot_id, state->boot_id, sizeof state->boot_id) == 0;
}

bool state_fill(const struct state *state, struct state_image *image, const struct state_key *key, uint32_t number,
                size_t rest)
{
    struct state_head head = {.at = state_now(), .number = number};
    size_t length = 0;

    memset(image, 0, sizeof *image);
    for (size_t i = 0; i < key->count; i++) {
        size_t size = strlen(key->fields[i]) + 1;

        if (size > STATE_KEY_MOST - length)
            return false;
        memcpy(image->bytes + sizeof head + length, key->fields[i], size);
        length += size;
    }
    image->length = sizeof head + length + rest;
    if (image->length >= sizeof image->bytes)
        return false;
    memcpy(head.magic, magic, sizeof magic);
    memcpy(head.boot_id, state->boot_id, sizeof state->boot_id);
    head.key_length = (uint32_t)length;
    memcpy(image->bytes, &head, sizeof head);
    head.check = check_of(image);
    memcpy(image->bytes, &head, sizeof head);
    return true;
}

/* Makes a file for state_write(), under a name that no other process has. */
static int open_unfinished(const struct state *state, char (*name)[NAME_MAX + 1])
{
    int fd = -1;

    for (int i = 0; i < UNFINISHED_ATTEMPTS; i++) {
        snprintf(*name, sizeof *name, UNFINISHED "%lld", (long long)boot_ns());
        fd = openat(state->dir, *name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
        if (fd >= 0 || errno != EEXIST)
            break;
    }
    return fd;
}

enum state_result state_write(const struct state *state, const char *name, const struct state_image *image,
                              bool replace)
{
    enum state_result result = STATE_FAILED;
    char unfinished[NAME_MAX + 1];
    int fd = open_unfinished(state, &unfinished);

    if (fd < 0)
        return fail_errno(state, name);
    /* The host's umask may have taken from the mode. */
    if (fchmod(fd, S_IRUSR | S_IWUSR) == 0 && write_all(fd, image->bytes, image->length, 0) &&
        renameat2(state->dir, unfinished, state->dir, name, replace ? 0 : RENAME_NOREPLACE) == 0)
        result = STATE_OK;
    else if (errno == EEXIST && !replace)
        result = STATE_EXISTS;
    else
        fail_errno(state, name);
    if (result != STATE_OK)
        unlinkat(state->dir, unfinished, 0);
    close(fd);
    return result;
}

enum state_result state_overwrite(const struct state *state, const char *name, int fd, size_t at, const void *bytes,
                                  size_t length)
{
    return write_all(fd, bytes, length, (off_t)at) ? STATE_OK : fail_errno(state, name);
}

void state_remove(const struct state *state, const char *name)
{
    unlinkat(state->dir, name, 0);
}

static bool begins_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Removes a file that state_write() began long ago, or before this boot, and never will finish. Should it wake up after
 * all, its rename fails. */
static void remove_unfinished(const struct state *state, const char *name)
{
    long long began = atoll(name + strlen(UNFINISHED));
    int64_t now = boot_ns();

    if (began > now || now - began > UNFINISHED_MOST_NS)
        state_remove(state, name);
}

static void sweep_from(const struct state *state, DIR *list, long start, const char *prefix,
                       void (*look)(const struct state *, const char *name))
{
    const struct dirent *entry;

    for (long i = 0; i < start + SWEEP && (entry = readdir(list)) != NULL; i++) {
        if (i < start)
            continue;
        if (begins_with(entry->d_name, UNFINISHED))
            remove_unfinished(state, entry->d_name);
        else if (begins_with(entry->d_name, prefix))
            look(state, entry->d_name);
    }
}

void state_sweep(const struct state *state, const char *prefix, void (*look)(const struct state *, const char *name))
{
    /* Not a dup: it would share the place in the directory. */
    int fd = openat(state->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    long count = 0;

    if (list == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while (readdir(list) != NULL)
        count++;
    rewinddir(list);
    /* Anywhere will do, so the clock's last digits are chance enough. */
    sweep_from(state, list, count > SWEEP ? (long)(boot_ns() / 64 % (count - SWEEP + 1)) : 0, prefix, look);
    closedir(list);
}
