/*
 * Wrappers for libcurl, by the section CURL of calls.def.
 */
#include "inject.h"

/* Its checks of types are macros of the same names. */
#ifndef CURL_DISABLE_TYPECHECK
#define CURL_DISABLE_TYPECHECK
#endif
#include <curl/curl.h>
#include <errno.h>
#include <stdarg.h>

#undef curl_multi_setopt
#undef curl_easy_setopt
#undef curl_easy_getinfo

#define LIBC(name, value, failures)
#define PAM(name, value, failures)
#define CURL(name, value, failures) ROW(name, value, failures)
#define JSON(name, value, failures)
#define CRYPTO(name, value, failures)
#define SECCOMP(name, value, failures)
#define FREES(name)
#define ALSO(name)
#include "calls.def"

WRAP(CURLcode, curl_global_init, (long flags), (flags))
WRAP_TAKEN(CURLM, curl_multi_init, (void), (), "CURLM")
WRAP(CURLMcode, curl_multi_add_handle, (CURLM * multi, CURL *easy), (multi, easy))
WRAP(CURLMcode, curl_multi_perform, (CURLM * multi, int *running), (multi, running))
WRAP(CURLMcode, curl_multi_poll, (CURLM * multi, struct curl_waitfd more[], unsigned int count, int ms, int *ready),
     (multi, more, count, ms, ready))
WRAP_TAKEN(CURL, curl_easy_init, (void), (), "CURL")
WRAP(CURLHcode, curl_easy_header,
     (CURL * easy, const char *name, size_t index, unsigned int origin, int request, struct curl_header **header),
     (easy, name, index, origin, request, header))
WRAP_GIVEN(curl_easy_cleanup, CURL)
WRAP_GIVEN(curl_slist_free_all, struct curl_slist)

WRAP_TAKEN(CURLU, curl_url, (void), (), "CURLU")
WRAP(CURLUcode, curl_url_set, (CURLU * url, CURLUPart part, const char *text, unsigned int flags),
     (url, part, text, flags))
WRAP_GIVEN(curl_url_cleanup, CURLU)
WRAP_GIVEN(curl_free, void)

CURLUcode __real_curl_url_get(const CURLU *url, CURLUPart part, char **text, unsigned int flags);
CURLUcode __wrap_curl_url_get(const CURLU *url, CURLUPart part, char **text, unsigned int flags);
CURLUcode __wrap_curl_url_get(const CURLU *url, CURLUPart part, char **text, unsigned int flags)
{
    const struct failure *failure = NEXT(curl_url_get);
    CURLUcode code = failure == NULL ? __real_curl_url_get(url, part, text, flags) : (CURLUcode)failure->number;

    if (code == CURLUE_OK)
        TAKEN(*text, "memory");
    return code;
}

CURLMcode __real_curl_multi_cleanup(CURLM *multi);
CURLMcode __wrap_curl_multi_cleanup(CURLM *multi);
CURLMcode __wrap_curl_multi_cleanup(CURLM *multi)
{
    inject_given(multi);
    return __real_curl_multi_cleanup(multi);
}

struct curl_slist *__real_curl_slist_append(struct curl_slist *list, const char *text);
struct curl_slist *__wrap_curl_slist_append(struct curl_slist *list, const char *text);
struct curl_slist *__wrap_curl_slist_append(struct curl_slist *list, const char *text)
{
    const struct failure *failure = NEXT(curl_slist_append);

    if (failure != NULL)
        return (struct curl_slist *)FAIL(curl_slist_append, failure);
    inject_given(list);
    return TAKEN(__real_curl_slist_append(list, text), "curl_slist");
}

/* All of these take one argument more, a long or a pointer. */

CURLMcode __real_curl_multi_setopt(CURLM *multi, CURLMoption option, ...);
CURLMcode __wrap_curl_multi_setopt(CURLM *multi, CURLMoption option, ...);
CURLMcode __wrap_curl_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
    const struct failure *failure = NEXT(curl_multi_setopt);
    va_list arguments;
    void *value;

    if (failure != NULL)
        return (CURLMcode)failure->number;
    va_start(arguments, option);
    value = va_arg(arguments, void *);
    va_end(arguments);
    return __real_curl_multi_setopt(multi, option, value);
}

CURLcode __real_curl_easy_setopt(CURL *easy, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    const struct failure *failure = NEXT(curl_easy_setopt);
    va_list arguments;
    void *value;

    if (failure != NULL)
        return (CURLcode)failure->number;
    va_start(arguments, option);
    value = va_arg(arguments, void *);
    va_end(arguments);
    return __real_curl_easy_setopt(easy, option, value);
}

CURLcode __real_curl_easy_getinfo(CURL *easy, CURLINFO info, ...);
CURLcode __wrap_curl_easy_getinfo(CURL *easy, CURLINFO info, ...);
CURLcode __wrap_curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
    const struct failure *failure = NEXT(curl_easy_getinfo);
    va_list arguments;
    void *value;

    if (failure != NULL)
        return (CURLcode)failure->number;
    va_start(arguments, info);
    value = va_arg(arguments, void *);
    va_end(arguments);
    return __real_curl_easy_getinfo(easy, info, value);
}

/* Only a message is a call that counts: it is asked for after each step of a transfer. */
CURLMsg *__real_curl_multi_info_read(CURLM *multi, int *left);
CURLMsg *__wrap_curl_multi_info_read(CURLM *multi, int *left);
CURLMsg *__wrap_curl_multi_info_read(CURLM *multi, int *left)
{
    CURLMsg *message = __real_curl_multi_info_read(multi, left);
    const struct failure *failure = message == NULL ? NULL : NEXT(curl_multi_info_read);

    if (failure != NULL)
        message->data.result = (CURLcode)failure->number;
    return message;
}
