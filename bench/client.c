#include "client.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SERVICE "AWSCognitoIdentityProviderService."

#define BODY_MOST (64 * 1024)

static int64_t began;

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

void client_begin(void)
{
    began = now();
}

void client_tell(const char *what)
{
    printf("%s %lld\n", what, (long long)(now() - began));
}

static bool read_body(const char *path, struct request *request)
{
    static char body[BODY_MOST];
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return false;
    request->body = body;
    request->length = fread(body, 1, sizeof body, file);
    fclose(file);
    return true;
}

static bool make_request(char *word, client_ask *ask, void *connection)
{
    struct request request = {.method = "GET", .path = word, .body = ""};
    static char target[128];
    char *file;

    if (*word == '/')
        return ask(connection, &request);
    file = strchr(word, '=');
    if (file == NULL)
        return false;
    *file++ = '\0';
    snprintf(target, sizeof target, "%s%s", SERVICE, word);
    request.method = "POST";
    request.path = "/";
    request.target = target;
    return read_body(file, &request) && ask(connection, &request);
}

int client_run(char **words, client_ask *ask, void *connection)
{
    bool works = true;

    for (; works && *words != NULL && strcmp(*words, "--") != 0; words++)
        works = make_request(*words, ask, connection);
    client_tell("asked");
    client_begin();
    for (words += *words != NULL; works && *words != NULL; words++)
        works = make_request(*words, ask, connection);
    client_tell(works ? "returned 0" : "returned 1");
    return works ? EXIT_SUCCESS : EXIT_FAILURE;
}
