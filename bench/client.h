/*
 * What the two bare clients share: what they are to ask, and the clock. Each is called so:
 *
 *     client TRUST HOST REQUEST... -- REQUEST...
 *
 * TRUST is a folder of hashed certificates, or a file of them. A REQUEST is a path that begins with "/", to get, or
 * OPERATION=FILE, to post. Those before the dashes lead to the prompt, those after it to the verdict; all take one
 * connection. What is written is what host.c writes of a login.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct request {
    const char *method, *path;
    const char *target; /* the whole value of X-Amz-Target, or NULL */
    char *body;         /* never NULL */
    size_t length;
};

/* Sends one request and reads the answer whole; false unless that is a 200. */
typedef bool client_ask(void *connection, const struct request *request);

/* Makes all requests of the command line, and tells how long they took. The exit status. */
int client_run(char **words, client_ask *ask, void *connection);

/* Begins: the time until the prompt counts from here on. */
void client_begin(void);

/* Tells how many microseconds there were since the beginning. */
void client_tell(const char *what);

#endif
