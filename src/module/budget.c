#include "module/budget.h"

#include "module/state.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "sends-"

#define WINDOW_MS (60 * 60 * 1000)

/* How long a login waits in all for others that count for the same user, each of which takes far less than 1 ms. */
#define PATIENCE_MS 1500

/*
 * The rest of the file are `number` slots, each 0 or the time of a code. A code is counted by one write of 8 bytes into
 * a slot that is free or an hour old: a process that is killed at any point has counted it or not, and nothing has to
 * be repaired. The file is replaced as a whole, under its lock, when it is of an earlier boot or has too few slots.
 */
typedef uint64_t slot_t;

#define CHECK_BITS 16

struct budget {
    struct state state;
    struct state_key key;
    char name[NAME_MAX + 1];
    unsigned int limit;
    int fd;
    struct state_image image;
    size_t live; /* slots of the last hour */
    size_t free; /* one that is not */
};

/* A slot's low bits tell whether it was written as a slot of this file, at this place. */
static slot_t make_slot(const struct state_image *image, size_t place, int64_t at)
{
    const uint64_t parts[3] = {state_head_of(image).check, place, (uint64_t)at};
    uint64_t hash = state_hash(0, parts, sizeof parts);

    return (uint64_t)at << CHECK_BITS | (hash >> 48 & ((1 << CHECK_BITS) - 1));
}

static size_t offset_of(const struct state_image *image, size_t place)
{
    return state_rest_of(image) + place * sizeof(slot_t);
}

static void put_slot(struct state_image *image, size_t place, int64_t at)
{
    slot_t slot = make_slot(image, place, at);

    memcpy(image->bytes + offset_of(image, place), &slot, sizeof slot);
}

/* The time in a slot: 0 for one that was never used, -1 for one that was not written so. */
static int64_t get_slot(const struct state_image *image, size_t place)
{
    slot_t slot;
    int64_t at;

    memcpy(&slot, image->bytes + offset_of(image, place), sizeof slot);
    at = (int64_t)(slot >> CHECK_BITS);
    if (slot == 0 || slot == make_slot(image, place, at))
        return at;
    return -1;
}

/* Counts what is live at `now`. False for an image that is damaged. */
static bool count(struct budget *budget, int64_t now)
{
    const struct state_image *image = &budget->image;
    size_t slots = state_head_of(image).number;

    budget->live = 0;
    budget->free = slots;
    if (slots > STATE_MOST / sizeof(slot_t) || image->length != offset_of(image, slots))
        return false;
    for (size_t i = 0; i < slots; i++) {
        int64_t at = get_slot(image, i);

        if (at < 0 || at > now)
            return false;
        if (at != 0 && now - at < WINDOW_MS)
            budget->live++;
        else
            budget->free = i;
    }
    return true;
}

/* The image of a file with `limit` slots: one that counts this moment, and those that are live in `old`, if there is
 * one. */
static enum state_result write_anew(struct budget *budget, const struct state_image *old)
{
    struct state_image image;
    int64_t now;
    size_t used = 0;

    if (!state_fill(&budget->state, &image, &budget->key, budget->limit, budget->limit * sizeof(slot_t)))
        return state_fail(&budget->state, budget->name, "the user's name is too long");
    now = state_now();
    for (size_t i = 0; old != NULL && i < state_head_of(old).number; i++) {
        int64_t at = get_slot(old, i);

        if (at != 0 && now - at < WINDOW_MS)
            put_slot(&image, used++, at);
    }
    put_slot(&image, used, now);
    return state_write(&budget->state, budget->name, &image, budget->fd >= 0);
}

/* Counts in the locked file. */
static enum state_result count_one(struct budget *budget)
{
    const struct state *state = &budget->state;
    int64_t now = state_now();
    slot_t slot;

    if (!state_has_key(&budget->image, &budget->key))
        return state_fail(state, budget->name, "it counts for another user: remove it");
    if (!state_is_of_this_boot(state, &budget->image))
        return write_anew(budget, NULL);
    if (!count(budget, now))
        return state_fail(state, budget->name, "its counts are damaged: remove it");
    if (budget->live >= budget->limit)
        return STATE_EXISTS;
    if (state_head_of(&budget->image).number < budget->limit)
        return write_anew(budget, &budget->image);
    slot = make_slot(&budget->image, budget->free, now);
    return state_overwrite(state, budget->name, budget->fd, offset_of(&budget->image, budget->free), &slot,
                           sizeof slot);
}

/* Removes a file in which no code is counted any more. One that is damaged stays: its user is to be denied, not given a
 * new budget. */
static void remove_idle(const struct state *state, const char *name)
{
    struct budget other;
    char why[512];

    other.state = *state;
    other.state.why = why;
    other.state.why_size = sizeof why;
    if (state_open_file(&other.state, name, O_RDWR, &other.fd) != STATE_OK)
        return;
    if (state_lock(&other.state, name, other.fd, 0) == STATE_OK &&
        state_read(&other.state, name, other.fd, &other.image) == STATE_OK &&
        (!state_is_of_this_boot(state, &other.image) || (count(&other, state_now()) && other.live == 0)))
        state_remove(state, name);
    state_close_file(other.fd);
}

/* Has the first code of a user make the file, which needs no lock: of several processes one makes it. */
static enum state_result make_file(struct budget *budget)
{
    enum state_result result;

    /* First, so that hosts that are killed in between cannot fill the directory either. */
    state_sweep(&budget->state, PREFIX, remove_idle);
    result = write_anew(budget, NULL);
    return result == STATE_EXISTS ? STATE_ABSENT : result;
}

/* STATE_OK: counted. STATE_EXISTS: the limit is reached. STATE_ABSENT: the file has changed, once more. */
static enum state_result take(struct budget *budget, int patience)
{
    const struct state *state = &budget->state;
    enum state_result result = state_open_file(state, budget->name, O_RDWR, &budget->fd);

    if (result == STATE_ABSENT)
        return make_file(budget);
    if (result == STATE_OK)
        result = state_lock(state, budget->name, budget->fd, patience);
    if (result == STATE_OK)
        result = state_read(state, budget->name, budget->fd, &budget->image);
    if (result == STATE_OK)
        result = count_one(budget);
    state_close_file(budget->fd);
    budget->fd = -1;
    return result;
}

static enum error take_in_time(struct budget *budget)
{
    deadline_t deadline = deadline_in(PATIENCE_MS);
    enum state_result result = STATE_ABSENT;

    while (result == STATE_ABSENT && deadline_left(deadline) > 0)
        result = take(budget, deadline_left(deadline));
    switch (result) {
    case STATE_OK:
        return ERR_NONE;
    case STATE_EXISTS:
        return ERR_SEND_LIMIT;
    case STATE_ABSENT:
        state_fail(&budget->state, budget->name, "it changes all the time");
        break;
    case STATE_FAILED:
        break;
    }
    return ERR_BAD_STATE;
}

enum error budget_take(struct login *login, const char *username)
{
    struct budget budget = {
        .key = {.count = 2, .fields = {login->options.user_pool_id, username}},
        .limit = login->options.send_limit,
        .fd = -1,
    };
    enum error error = ERR_BAD_STATE;

    if (geteuid() != 0)
        return ERR_NONE;
    state_name(&budget.name, PREFIX, &budget.key);
    if (state_open(&budget.state, true, login->detail, sizeof login->detail) == STATE_OK)
        error = take_in_time(&budget);
    state_close(&budget.state);
    return error;
}
