#include "module/say.h"

#ifdef ENABLE_NLS

#include <libintl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#define DOMAIN "pam-cognito"

static size_t count(const char *text, const char *what)
{
    size_t found = 0;

    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + strlen(what), what))
        found++;
    return found;
}

/* Text in the host's charset, without control characters but for newlines. */
static bool is_plain(const char *text)
{
    const char *end = text + strlen(text) + 1;
    mbstate_t state;
    wchar_t c;
    size_t length;

    memset(&state, 0, sizeof state);
    while ((length = mbrtowc(&c, text, (size_t)(end - text), &state)) != 0) {
        if (length == (size_t)-1 || length == (size_t)-2 || (iswcntrl((wint_t)c) && c != L'\n'))
            return false;
        text += length;
    }
    return true;
}

/* A file of translations may be broken. And gettext writes "?" for what the host's charset does not have: better
 * English than a row of them. */
static bool is_usable(const char *translation, const char *text)
{
    return *translation != '\0' && is_plain(translation) && count(translation, "%s") == count(text, "%s") &&
           count(translation, "?") <= count(text, "?");
}

/* LANGUAGE is the caller's under su, and gettext makes a path of it. The C library looks out for that in setuid
 * programs alone, not in what they start. */
static bool names_a_path(const char *language)
{
    return language != NULL && strchr(language, '/') != NULL;
}

const char *say(const char *text)
{
    const char *translation;

    /* The translation of "" is the header of the file. */
    if (text == NULL || *text == '\0' || names_a_path(getenv("LANGUAGE")))
        return text;
    /* For our own domain, always to the same folder; the C library keeps copies, so the module may be unloaded. */
    if (bindtextdomain(DOMAIN, LOCALEDIR) == NULL)
        return text;
    translation = dgettext(DOMAIN, text);
    return is_usable(translation, text) ? translation : text;
}

#else

const char *say(const char *text)
{
    return text;
}

#endif
