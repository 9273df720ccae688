/*
 * The client's side of SRP as a program, for servers that others wrote: srp_client
 *
 * Says SRP_A on a line, reads seven lines (pool's name, USER_ID_FOR_SRP, password, SALT, SRP_B, SECRET_BLOCK,
 * TIMESTAMP), says the signature on a line, or "refused: " and why; then all over again with a new key, until its input
 * ends. A timestamp that is "now" stands for the present one, which then follows the signature after a tab.
 */
#include "common/secret.h"
#include "helper/result.h"
#include "helper/srp.h"

#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

enum line { POOL_NAME, USER_ID, PASSWORD, SALT, SRP_B, SECRET_BLOCK, TIMESTAMP, LINES };

/* False at the end of the input. */
static bool read_lines(char *lines[LINES], size_t sizes[LINES])
{
    for (int i = 0; i < LINES; i++) {
        ssize_t length = getline(&lines[i], &sizes[i], stdin);

        if (length <= 0 || lines[i][length - 1] != '\n')
            return false;
        lines[i][length - 1] = '\0';
    }
    return true;
}

static void say_answer(const struct srp *srp, char *lines[LINES])
{
    const struct srp_challenge challenge = {
        .user_id = lines[USER_ID],
        .salt = lines[SALT],
        .public_key = lines[SRP_B],
        .secret_block = lines[SECRET_BLOCK],
    };
    bool is_now = strcmp(lines[TIMESTAMP], "now") == 0;
    char now[SRP_TIMESTAMP_SIZE] = "";
    struct secret signature = {NULL, 0};
    struct result result;

    result_begin(&result);
    if (is_now && !srp_timestamp(time(NULL), now))
        puts("refused: the clock");
    else if (!srp_answer(srp, lines[POOL_NAME], lines[PASSWORD], &challenge, is_now ? now : lines[TIMESTAMP],
                         &signature, &result))
        printf("refused: %s\n", result.detail);
    else
        printf("%s%s%s\n", signature.bytes, is_now ? "\t" : "", now);
    secret_free(&signature);
}

int main(void)
{
    char *lines[LINES] = {NULL};
    size_t sizes[LINES] = {0};
    struct result result;
    struct srp *srp;
    bool more = true;

    /* As a program that speaks the user's language would. It must not matter. */
    setlocale(LC_ALL, "");
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (more) {
        srp = srp_new(&result);
        if (srp == NULL)
            break;
        puts(srp_public_key(srp));
        more = read_lines(lines, sizes);
        if (more)
            say_answer(srp, lines);
        srp_free(&srp);
    }
    for (int i = 0; i < LINES; i++)
        free(lines[i]);
    return more ? 1 : 0;
}
