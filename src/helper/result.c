#include "helper/result.h"

#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>

void result_begin(struct result *result)
{
    *result = (struct result){.error = ERR_SYSTEM, .detail = "the request had no outcome"};
}

bool result_fail(struct result *result, enum error error, const char *format, ...)
{
    va_list arguments;

    result->error = error;
    va_start(arguments, format);
    vsnprintf(result->detail, sizeof result->detail, format, arguments);
    va_end(arguments);
    return false;
}

void result_succeed(struct result *result)
{
    result->error = ERR_NONE;
    result->detail[0] = '\0';
}

void result_add_choice(struct result *result, const char *choice)
{
    if (result->choice_count < RESULT_CHOICES_MAX)
        text_printable(result->choices[result->choice_count++], sizeof result->choices[0], choice);
}

void result_message(const struct result *result, struct result_message *message)
{
    *message = (struct result_message){
        .error = (uint32_t)result->error,
        .signin = result->signin ? 1 : 0,
        .detail = result->detail,
        .wire_name = result->wire_name,
        .request_id = result->request_id,
        .attribute = result->attribute,
        .medium = result->medium,
        .destination = result->destination,
        .challenge = result->challenge,
        .keys = result->keys,
        .choices = {.count = (uint32_t)result->choice_count},
    };
    for (size_t i = 0; i < result->choice_count; i++)
        message->choices.items[i] = result->choices[i];
}
