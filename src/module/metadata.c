#include "module/metadata.h"

#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one %-letter may contribute: host names have 253 bytes, user names 128. */
#define PIECE 256

struct clean_values {
    char user[PIECE], host[PIECE], service[PIECE], rhost[PIECE], tty[PIECE];
    struct template_values values;
};

static void clean(struct clean_values *clean, const struct login *login)
{
    clean->values = (struct template_values){
        .user = text_printable(clean->user, PIECE, login->user),
        .host = text_printable(clean->host, PIECE, login->host),
        .service = text_printable(clean->service, PIECE, login->service),
        .rhost = text_printable(clean->rhost, PIECE, login->rhost),
        .tty = text_printable(clean->tty, PIECE, login->tty),
    };
}

static enum error add(struct login *login, const char *pair, const struct template_values *values)
{
    size_t name = strcspn(pair, "=");
    char value[METADATA_MOST + 1];

    if (!template_expand(pair + name + 1, values, value, sizeof value)) {
        snprintf(login->detail, sizeof login->detail, "client_metadata %.*s: longer than %d bytes", (int)name, pair,
                 METADATA_MOST);
        return ERR_CONFIG;
    }
    return strings_add(&login->metadata, pair, name) && strings_add(&login->metadata, value, strlen(value))
               ? ERR_NONE
               : ERR_NO_MEMORY;
}

enum error metadata_expand(struct login *login)
{
    const struct strings *pairs = &login->options.client_metadata;
    enum error error = ERR_NONE;
    struct clean_values clean_values;

    clean(&clean_values, login);
    for (size_t i = 0; i < pairs->count && error == ERR_NONE; i++)
        error = add(login, pairs->items[i], &clean_values.values);
    return error;
}
