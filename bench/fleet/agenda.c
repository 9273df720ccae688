#include "agenda.h"

#include <stdlib.h>

bool agenda_begin(struct agenda *agenda, size_t people)
{
    *agenda = (struct agenda){.entries = calloc(people, sizeof *agenda->entries)};
    return agenda->entries != NULL;
}

void agenda_end(struct agenda *agenda)
{
    free(agenda->entries);
    *agenda = (struct agenda){.entries = NULL};
}

static bool earlier(const struct entry *a, const struct entry *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct entry *a, struct entry *b)
{
    struct entry other = *a;

    *a = *b;
    *b = other;
}

void agenda_enter(struct agenda *agenda, int64_t at, uint32_t who)
{
    struct entry *entries = agenda->entries;
    size_t i = agenda->count++;

    entries[i] = (struct entry){.at = at, .order = agenda->entered++, .who = who};
    for (; i > 0 && earlier(&entries[i], &entries[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&entries[i], &entries[(i - 1) / 2]);
}

bool agenda_next(struct agenda *agenda, struct entry *entry)
{
    struct entry *entries = agenda->entries;

    if (agenda->count == 0)
        return false;
    *entry = entries[0];
    entries[0] = entries[--agenda->count];
    for (size_t i = 0;;) {
        size_t least = i, left = 2 * i + 1, right = 2 * i + 2;

        if (left < agenda->count && earlier(&entries[left], &entries[least]))
            least = left;
        if (right < agenda->count && earlier(&entries[right], &entries[least]))
            least = right;
        if (least == i)
            return true;
        swap(&entries[i], &entries[least]);
        i = least;
    }
}
