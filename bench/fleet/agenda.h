/*
 * What comes next, and when: a heap of who has something to do. Whoever was entered first goes first at the same time,
 * so that nothing depends on how the heap lies in memory.
 */
#ifndef PAM_COGNITO_FLEET_AGENDA_H
#define PAM_COGNITO_FLEET_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct entry {
    int64_t at;
    uint64_t order;
    uint32_t who;
};

struct agenda {
    struct entry *entries;
    size_t count;
    uint64_t entered;
};

/* Room for one entry of each of `people`; false without memory. The caller frees it with agenda_end(). */
bool agenda_begin(struct agenda *agenda, size_t people);
void agenda_end(struct agenda *agenda);

/* Nobody is entered twice at a time. */
void agenda_enter(struct agenda *agenda, int64_t at, uint32_t who);

/* Takes the earliest entry out; false when there is none. */
bool agenda_next(struct agenda *agenda, struct entry *entry);

#endif
