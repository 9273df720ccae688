#include "common/errors.h"

#include <security/_pam_types.h>
#include <string.h>

#define N_(text) text
#define MIDDLE_BOX                                                                                                     \
    "not an answer that the user pools API gives to this request: check the endpoint, and any proxy in between"

enum outcome {
#define OUTCOME(id, pam, user) OUT_##id,
#define ERROR(id, name, signin, elsewhere, log)
#define LOCAL(id, name, outcome, log)
#include "common/errors.def"
#undef OUTCOME
#undef ERROR
#undef LOCAL
};

static const struct {
    int pam;
    const char *user;
} outcomes[] = {
#define OUTCOME(id, pam, user) {pam, user},
#define ERROR(id, name, signin, elsewhere, log)
#define LOCAL(id, name, outcome, log)
#include "common/errors.def"
#undef OUTCOME
#undef ERROR
#undef LOCAL
};

static const struct row {
    const char *name;
    enum outcome signin, elsewhere;
    const char *log;
    bool on_the_wire;
} rows[ERR_COUNT] = {
    [ERR_NONE] = {"none", OUT_INTERNAL, OUT_INTERNAL, NULL, false},
#define OUTCOME(id, pam, user)
#define ERROR(id, name, signin, elsewhere, log) [ERR_##id] = {name, OUT_##signin, OUT_##elsewhere, log, true},
#define LOCAL(id, name, outcome, log)           [ERR_##id] = {name, OUT_##outcome, OUT_##outcome, log, false},
#include "common/errors.def"
#undef OUTCOME
#undef ERROR
#undef LOCAL
};

static const struct row *row_of(enum error error)
{
    return (unsigned int)error < ERR_COUNT ? &rows[error] : &rows[ERR_NONE];
}

enum error error_by_wire_name(const char *name)
{
    for (int error = ERR_NONE + 1; error < ERR_COUNT; error++)
        if (rows[error].on_the_wire && strcmp(rows[error].name, name) == 0)
            return (enum error)error;
    return ERR_UNKNOWN_ERROR;
}

const char *error_name(enum error error)
{
    return row_of(error)->name;
}

int error_pam_code(enum error error, bool signin)
{
    const struct row *row = row_of(error);

    return outcomes[signin ? row->signin : row->elsewhere].pam;
}

const char *error_user_text(enum error error, bool signin)
{
    const struct row *row = row_of(error);

    return outcomes[signin ? row->signin : row->elsewhere].user;
}

const char *error_log_text(enum error error)
{
    return row_of(error)->log;
}

bool error_is_throttling(enum error error)
{
    return row_of(error)->elsewhere == OUT_BUSY;
}
