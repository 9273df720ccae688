#include "module/remember.h"

#include "module/state.h"

#include <fcntl.h>
#include <limits.h>
#include <security/pam_ext.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define PREFIX "remember-"

/* A remote service may put its own name there ("xrdp-sesman"), the same for all that come to it from anywhere. What
 * begins with ':' is a display of this host. */
static bool is_terminal(const char *tty)
{
    char path[PATH_MAX];
    struct stat status;

    if (*tty == ':')
        return true;
    snprintf(path, sizeof path, "%s%s", strncmp(tty, "/dev/", 5) == 0 ? "" : "/dev/", tty);
    return stat(path, &status) == 0 && S_ISCHR(status.st_mode);
}

/* The key of a login; false where there is none: nothing is remembered then. */
static bool make_key(const struct login *login, const char *username, const char *attribute, struct state_key *key)
{
    bool remote = login->rhost != NULL && *login->rhost != '\0';
    const char *place = remote ? login->rhost : login->tty;

    *key = (struct state_key){
        .count = 7,
        .naming = 4,
        /* Which of the two it is counts: a host may be called like a terminal. */
        .fields = {login->user, login->service, remote ? "rhost" : "tty", place, login->options.user_pool_id, username,
                   attribute},
    };
    for (size_t i = 0; i < key->count; i++)
        if (key->fields[i] == NULL || *key->fields[i] == '\0')
            return false;
    /* Whoever called su or sudo: the number of a terminal goes to the next who opens one. Most services know none. */
    if (login->ruser == NULL || !(remote || is_terminal(place)))
        return false;
    key->fields[key->count++] = login->ruser;
    return login->options.remember > 0 && geteuid() == 0;
}

/* Whether the file holds a record that is not older than `seconds`; 0: than it was made for. *image is it. */
static bool is_live(const struct state *state, const char *name, struct state_image *image, int64_t seconds)
{
    struct state_head head;
    bool live = false;
    int64_t now;
    int fd;

    if (state_open_file(state, name, O_RDONLY, &fd) != STATE_OK)
        return false;
    if (state_read(state, name, fd, image) == STATE_OK && image->length == state_rest_of(image) &&
        state_is_of_this_boot(state, image)) {
        head = state_head_of(image);
        now = state_now();
        live = head.at <= now && now - head.at < 1000 * (seconds != 0 ? seconds : (int64_t)head.number);
    }
    close(fd);
    return live;
}

static bool has(const struct login *login, const char *username, const char *attribute)
{
    char name[NAME_MAX + 1];
    char why[512];
    struct state_image image;
    struct state_key key;
    struct state state;
    bool found = false;

    if (!make_key(login, username, attribute, &key))
        return false;
    state_name(&name, PREFIX, &key);
    if (state_open(&state, false, why, sizeof why) == STATE_OK)
        found = is_live(&state, name, &image, login->options.remember) && state_has_key(&image, &key);
    state_close(&state);
    return found;
}

bool remember_has(const struct login *login, const char *username)
{
    const struct strings *attributes = &login->options.attribute;
    bool found = false;

    if (login->attribute != NULL)
        return has(login, username, login->attribute);
    for (size_t i = 0; i < attributes->count && !found; i++)
        found = has(login, username, attributes->items[i]);
    return found;
}

/* Removes a record that is over, or none at all. One that was replaced since it was looked at goes as well: its user is
 * asked once more. */
static void remove_old(const struct state *state, const char *name)
{
    struct state_image image;

    if (!is_live(state, name, &image, 0))
        state_remove(state, name);
}

static enum state_result keep(const struct state *state, const struct state_key *key, unsigned int seconds)
{
    char name[NAME_MAX + 1];
    struct state_image image;

    state_name(&name, PREFIX, key);
    if (!state_fill(state, &image, key, seconds, 0))
        return state_fail(state, name, "the names of user and host are too long");
    return state_write(state, name, &image, true);
}

void remember_keep(struct login *login, const char *username)
{
    enum state_result result;
    char why[512];
    struct state_key key;
    struct state state;

    if (!make_key(login, username, login->attribute, &key))
        return;
    result = state_open(&state, true, why, sizeof why);
    if (result == STATE_OK) {
        /* First, so that hosts that are killed in between cannot fill the directory either. */
        state_sweep(&state, PREFIX, remove_old);
        result = keep(&state, &key, login->options.remember);
    }
    if (result != STATE_OK)
        pam_syslog(login->pamh, LOG_ERR, "remember: %s", why);
    state_close(&state);
}
