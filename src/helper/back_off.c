#include "helper/back_off.h"

/* Milliseconds, around which the pauses are. The first gets past a second that was full, the second is as long as lets
 * both end well within a request_timeout of 10 s: docs/fleet.md compares them with others. */
static const int pauses[BACK_OFF_TRIES] = {1000, 4000};

int back_off_pause(unsigned int try, uint16_t random)
{
    return pauses[try] / 2 + pauses[try] * random / (UINT16_MAX + 1);
}
