#include "common/message.h"

#include <stddef.h>

/* How one field travels, and where it stands in its message's struct. */
struct field {
    enum { STRING, NUMBER, LIST, END } kind;
    size_t offset;
};

#define S(field) {STRING, offsetof(struct MESSAGE, field)},
#define N(field) {NUMBER, offsetof(struct MESSAGE, field)},
#define L(field) {LIST, offsetof(struct MESSAGE, field)},
#define MESSAGE  start_message
static const struct field start_fields[] = {START_FIELDS(S, N, L){END, 0}};
#undef MESSAGE
#define MESSAGE signin_message
static const struct field signin_fields[] = {SIGNIN_FIELDS(S, N, L){END, 0}};
#undef MESSAGE
#define MESSAGE answer_message
static const struct field answer_fields[] = {ANSWER_FIELDS(S, N, L){END, 0}};
#undef MESSAGE
#define MESSAGE token_message
static const struct field token_fields[] = {TOKEN_FIELDS(S, N, L){END, 0}};
#undef MESSAGE
#define MESSAGE lookup_message
static const struct field lookup_fields[] = {LOOKUP_FIELDS(S, N, L){END, 0}};
#undef MESSAGE
#define MESSAGE send_message
static const struct field send_fields[] = {SEND_FIELDS(S, N, L){END, 0}};
#undef MESSAGE
#define MESSAGE verify_message
static const struct field verify_fields[] = {VERIFY_FIELDS(S, N, L){END, 0}};
#undef MESSAGE
#define MESSAGE result_message
static const struct field result_fields[] = {RESULT_FIELDS(S, N, L){END, 0}};
#undef MESSAGE
#define MESSAGE report_message
static const struct field report_fields[] = {REPORT_FIELDS(S, N, L){END, 0}};
#undef MESSAGE
#define MESSAGE warm_message
static const struct field warm_fields[] = {WARM_FIELDS(S, N, L){END, 0}};
#undef MESSAGE
#define MESSAGE run_message
static const struct field run_fields[] = {RUN_FIELDS(S, N, L){END, 0}};
#undef MESSAGE
#define MESSAGE output_message
static const struct field output_fields[] = {OUTPUT_FIELDS(S, N, L){END, 0}};
#undef MESSAGE

static const struct field *const fields_of[MSG_COUNT] = {
#define M(id, name) [MSG_##id] = name##_fields,
    MESSAGES(M)
#undef M
};

static void put_list(struct frame *frame, const struct list *list)
{
    frame_put_number(frame, list->count);
    if (list->count > LIST_MAX)
        frame->bad = true;
    for (uint32_t i = 0; i < list->count && !frame->bad; i++)
        frame_put_string(frame, list->items[i]);
}

static void get_list(struct frame *frame, struct list *list)
{
    *list = (struct list){.count = frame_get_number(frame)};
    if (list->count > LIST_MAX)
        frame->bad = true;
    for (uint32_t i = 0; i < list->count && !frame->bad; i++)
        list->items[i] = frame_get_string(frame);
}

bool message_write(struct frame *frame, enum message_type type, const void *message)
{
    frame_begin(frame, (uint8_t)type);
    for (const struct field *field = fields_of[type]; field->kind != END; field++) {
        const char *at = (const char *)message + field->offset;

        switch (field->kind) {
        case STRING:
            frame_put_string(frame, *(const char *const *)(const void *)at);
            break;
        case NUMBER:
            frame_put_number(frame, *(const uint32_t *)(const void *)at);
            break;
        case LIST:
            put_list(frame, (const struct list *)(const void *)at);
            break;
        case END:
            break;
        }
    }
    return !frame->bad;
}

bool message_read(struct frame *frame, enum message_type type, void *message)
{
    if (frame->type != type)
        frame->bad = true;
    for (const struct field *field = fields_of[type]; field->kind != END; field++) {
        char *at = (char *)message + field->offset;

        switch (field->kind) {
        case STRING:
            *(const char **)(void *)at = frame_get_string(frame);
            break;
        case NUMBER:
            *(uint32_t *)(void *)at = frame_get_number(frame);
            break;
        case LIST:
            get_list(frame, (struct list *)(void *)at);
            break;
        case END:
            break;
        }
    }
    return frame_is_read(frame);
}
