#include "module/pool_keys.h"

#include "module/state.h"

#include <fcntl.h>
#include <security/pam_ext.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define PREFIX "keys-"

/* A pool seldom has others, and one that withdraws a key says so by refusing the tokens. */
#define AGE_MOST_MS (24 * 60 * 60 * 1000)

static const char *or_empty(const char *string)
{
    return string == NULL ? "" : string;
}

/* The key says whose keys they are, and what vouched for that when they were fetched: a set that came from elsewhere,
 * or over a connection that would not be trusted any more, is not this one. */
static struct state_key make_key(const struct options *options)
{
    return (struct state_key){
        .count = 6,
        .naming = 2,
        .fields = {options->user_pool_id, options->jwks_url, options->issuer, or_empty(options->ca_path),
                   or_empty(options->ca_file), or_empty(options->proxy)},
    };
}

static bool is_live(const struct state *state, const struct state_image *image)
{
    int64_t age = state_now() - state_head_of(image).at;

    return state_is_of_this_boot(state, image) && age >= 0 && age < AGE_MOST_MS;
}

/* Takes what follows the key: the text, all of it. */
static void take_text(const struct state_image *image, char (*text)[KEYS_MOST + 1])
{
    size_t rest = state_rest_of(image);
    size_t length = image->length - rest;

    if (length > KEYS_MOST || state_head_of(image).number != length ||
        memchr(image->bytes + rest, '\0', length) != NULL)
        return;
    memcpy(*text, image->bytes + rest, length);
    (*text)[length] = '\0';
}

void pool_keys_find(const struct options *options, char (*text)[KEYS_MOST + 1])
{
    const struct state_key key = make_key(options);
    char name[NAME_MAX + 1];
    char why[512];
    struct state_image image;
    struct state state;
    int fd = -1;

    (*text)[0] = '\0';
    if (geteuid() != 0)
        return;
    state_name(&name, PREFIX, &key);
    if (state_open(&state, false, why, sizeof why) == STATE_OK &&
        state_open_file(&state, name, O_RDONLY, &fd) == STATE_OK && state_read(&state, name, fd, &image) == STATE_OK &&
        state_has_key(&image, &key) && is_live(&state, &image))
        take_text(&image, text);
    if (fd >= 0)
        close(fd);
    state_close(&state);
}

static enum state_result keep(const struct state *state, const struct state_key *key, const char *text)
{
    size_t length = strlen(text);
    char name[NAME_MAX + 1];
    struct state_image image;

    state_name(&name, PREFIX, key);
    if (!state_fill(state, &image, key, (uint32_t)length, length))
        return state_fail(state, name, "the names of the pool and its files are too long");
    memcpy(image.bytes + state_rest_of(&image), text, length);
    return state_write(state, name, &image, true);
}

void pool_keys_keep(const struct login *login, const char *text)
{
    const struct state_key key = make_key(&login->options);
    enum state_result result;
    char why[512];
    struct state state;

    if (*text == '\0' || strlen(text) > KEYS_MOST || geteuid() != 0)
        return;
    result = state_open(&state, true, why, sizeof why);
    if (result == STATE_OK)
        result = keep(&state, &key, text);
    if (result != STATE_OK)
        pam_syslog(login->pamh, LOG_ERR, "keys: %s", why);
    state_close(&state);
}
