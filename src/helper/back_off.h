/*
 * How long a throttled call waits before it is made again. Arithmetic alone, so that the simulation of a fleet
 * (bench/fleet) runs on what logins run on.
 */
#ifndef PAM_COGNITO_BACK_OFF_H
#define PAM_COGNITO_BACK_OFF_H

#include <stdint.h>

/* A throttled call is made again so often. */
#define BACK_OFF_TRIES 2

/* Milliseconds to wait before a call is made again; `try`, below BACK_OFF_TRIES, says how often it was already.
 * `random`, each of its values equally likely, keeps apart the hosts that were refused at the same moment: a half to
 * three halves. */
int back_off_pause(unsigned int try, uint16_t random);

#endif
