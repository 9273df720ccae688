#include "script.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

bool script_read(struct script *script, const uint8_t *data, size_t size)
{
    *script = (struct script){.text = fuzz_string(data, size)};
    if (strlen(script->text) != size)
        return false;
    for (char *line = script->text, *end; *line != '\0'; line = end) {
        end = strchr(line, '\n');
        if (end == NULL)
            end = line + strlen(line);
        else
            *end++ = '\0';
        if (*line == '\0')
            continue;
        if (script->count == SCRIPT_LINES)
            return false;
        script->lines[script->count].kind = *line;
        script->lines[script->count++].rest = line + 1;
    }
    return true;
}

void script_free(struct script *script)
{
    free(script->text);
    *script = (struct script){.text = NULL};
}

char *script_next(struct script *script, const char *kinds, char *kind)
{
    for (size_t i = 0; i < script->count; i++) {
        char is = script->lines[i].kind;

        if (is == '\0' || strchr(kinds, is) == NULL)
            continue;
        script->lines[i].kind = '\0';
        if (kind != NULL)
            *kind = is;
        return script->lines[i].rest;
    }
    return NULL;
}

size_t script_unescape(char *text)
{
    char *out = text;

    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\\' && at[1] != '\0') {
            at++;
            *out++ = *at == 'n' ? '\n' : *at;
            if (*at == '0')
                out[-1] = '\0';
        } else {
            *out++ = *at;
        }
    }
    *out = '\0';
    return (size_t)(out - text);
}
