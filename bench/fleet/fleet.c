#include "fleet.h"

#include "agenda.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

const struct flow flows[] = {
    {"srp", {INITIATE_AUTH, RESPOND_TO_AUTH_CHALLENGE}, 2},
    {"password", {INITIATE_AUTH}, 1},
    {"file", {0}, 0},
    {"srp-unverified", {INITIATE_AUTH, RESPOND_TO_AUTH_CHALLENGE, GET_USER}, 3},
    {NULL, {0}, 0},
};

/* How long Cognito takes for a call that it serves, in microseconds. */
static const struct quantile service_time[] = {
    {0, 10 * MS}, {250, 20 * MS}, {500, 30 * MS}, {900, 80 * MS}, {990, 200 * MS}, {1000, 500 * MS},
};

/* From the question for the code to its answer: the mail comes, is read, the code is typed. */
static const struct quantile code_time[] = {
    {0, 6 * SECOND}, {250, 14 * SECOND}, {500, 20 * SECOND}, {900, 50 * SECOND}, {1000, 150 * SECOND},
};

#define RUSH_SECONDS 10

struct person {
    int64_t came;     /* first password */
    int64_t typed;    /* what was typed last, of this login */
    int64_t typing;   /* time for the code, of this login */
    int64_t deadline; /* of the request to the helper */
    int64_t pause;    /* before the last try of this call */
    unsigned int call, try, logins;
    bool with_code;
};

struct fleet {
    const struct scenario *scenario;
    struct outcome *outcome;
    struct person *people;
    struct agenda agenda;
    struct chance chance;
};

static int64_t half_way(const struct fleet *fleet)
{
    return fleet->scenario->round_trip * MS / 2;
}

static void note_wait(struct waits *waits, int64_t from, int64_t to)
{
    waits->values[waits->count++] = (int32_t)((to - from) / MS);
}

/* The calls of a login are numbered: those of the flow, the one that sends the code, the one that confirms it. */
static unsigned int call_that_sends(const struct fleet *fleet)
{
    return fleet->scenario->flow->count;
}

static enum operation operation_of(const struct fleet *fleet, unsigned int call)
{
    if (call < fleet->scenario->flow->count)
        return fleet->scenario->flow->calls[call];
    return call == call_that_sends(fleet) ? GET_USER_ATTRIBUTE_VERIFICATION_CODE : VERIFY_USER_ATTRIBUTE;
}

/* Begins call number `call` of a login at `now`. */
static void begin_call(struct fleet *fleet, struct person *person, unsigned int call, int64_t now)
{
    person->call = call;
    person->try = 0;
    person->pause = 0;
    /* Both calls of a sign-in are one request to the helper. */
    if (operation_of(fleet, call) != RESPOND_TO_AUTH_CHALLENGE)
        person->deadline = now + fleet->scenario->request_timeout * MS;
    agenda_enter(&fleet->agenda, now + half_way(fleet), (uint32_t)(person - fleet->people));
}

static void be_in(struct fleet *fleet, struct person *person, int64_t now)
{
    struct outcome *outcome = fleet->outcome;

    outcome->in++;
    if (person->logins == 1)
        outcome->in_at_first++;
    else
        outcome->in_later++;
    note_wait(&outcome->to_verdict, person->typed, now);
    note_wait(&outcome->delay, person->came + person->typing, now);
}

/* A password is typed at `now`. A login with a token file and without a code asks nothing of Cognito. */
static void begin_login(struct fleet *fleet, struct person *person, int64_t now)
{
    person->logins++;
    fleet->outcome->logins++;
    person->typed = now;
    person->typing = 0;
    person->with_code = chance_between(&fleet->chance, 1, 100) <= fleet->scenario->percent_with_code;
    if (call_that_sends(fleet) == 0 && !person->with_code)
        be_in(fleet, person, now);
    else
        begin_call(fleet, person, 0, now);
}

static void be_refused(struct fleet *fleet, struct person *person, int64_t now)
{
    int64_t again = fleet->scenario->again * SECOND;

    if (person->call > call_that_sends(fleet))
        fleet->outcome->busy_at_code++;
    else
        fleet->outcome->busy_before_code++;
    if (person->logins == LOGINS_MAX)
        fleet->outcome->lost++;
    else
        begin_login(fleet, person, now + chance_between(&fleet->chance, again / 2, again * 3 / 2));
}

/* The reply to a served call is there at `now`. */
static void go_on(struct fleet *fleet, struct person *person, int64_t now)
{
    unsigned int next = person->call + 1;

    if (next == call_that_sends(fleet) && !person->with_code) {
        be_in(fleet, person, now);
    } else if (next <= call_that_sends(fleet)) {
        begin_call(fleet, person, next, now);
    } else if (next == call_that_sends(fleet) + 1) {
        fleet->outcome->codes++;
        note_wait(&fleet->outcome->to_prompt, person->typed, now);
        person->typing = chance_quantile(&fleet->chance, code_time);
        person->typed = now + person->typing;
        begin_call(fleet, person, next, person->typed);
    } else {
        be_in(fleet, person, now);
    }
}

/* The reply to a throttled call is there at `now`: as cognito_call() does. */
static void back_off(struct fleet *fleet, struct person *person, int64_t now)
{
    const struct policy *policy = &fleet->scenario->policy;

    if (person->try >= policy->tries) {
        be_refused(fleet, person, now);
        return;
    }
    person->pause = policy_pause(policy, person->try++, person->pause, &fleet->chance);
    if (person->pause * MS >= person->deadline - now)
        be_refused(fleet, person, now);
    else
        agenda_enter(&fleet->agenda, now + person->pause * MS + half_way(fleet), (uint32_t)(person - fleet->people));
}

static int64_t arrive(struct fleet *fleet)
{
    int64_t whole = fleet->scenario->seconds * SECOND, at;

    switch (fleet->scenario->arrival) {
    case ARRIVAL_PEAK:
        do
            at = whole / 2 + (int64_t)(chance_normal(&fleet->chance) * (double)whole / 6);
        while (at < 0 || at >= whole);
        return at;
    case ARRIVAL_RUSH:
        return chance_between(&fleet->chance, 0, RUSH_SECONDS * SECOND);
    case ARRIVAL_UNIFORM:
        break;
    }
    return chance_between(&fleet->chance, 0, whole);
}

static void simulate(struct fleet *fleet)
{
    struct entry entry;

    for (uint32_t i = 0; i < fleet->scenario->people; i++)
        fleet->people[i].came = arrive(fleet);
    for (uint32_t i = 0; i < fleet->scenario->people; i++)
        begin_login(fleet, &fleet->people[i], fleet->people[i].came);
    while (agenda_next(&fleet->agenda, &entry)) {
        struct person *person = &fleet->people[entry.who];
        int64_t reply = entry.at + half_way(fleet);

        if (account_call(&fleet->outcome->account, operation_of(fleet, person->call), entry.at))
            go_on(fleet, person, reply + chance_quantile(&fleet->chance, service_time));
        else
            back_off(fleet, person, reply);
    }
}

static bool make_waits(struct waits *waits, size_t most)
{
    waits->values = calloc(most, sizeof *waits->values);
    return waits->values != NULL;
}

bool fleet_run(const struct scenario *scenario, struct outcome *outcome)
{
    struct fleet fleet = {.scenario = scenario, .outcome = outcome, .chance = chance_begin(scenario->seed)};
    bool done = false;

    *outcome = (struct outcome){.account = account_begin(scenario->quota_kind, scenario->rates)};
    fleet.people = calloc(scenario->people, sizeof *fleet.people);
    if (fleet.people == NULL || !agenda_begin(&fleet.agenda, scenario->people) ||
        !make_waits(&outcome->to_prompt, (size_t)scenario->people * LOGINS_MAX) ||
        !make_waits(&outcome->to_verdict, scenario->people) || !make_waits(&outcome->delay, scenario->people))
        goto out;
    simulate(&fleet);
    done = true;
out:
    agenda_end(&fleet.agenda);
    free(fleet.people);
    return done;
}

void fleet_free(struct outcome *outcome)
{
    free(outcome->to_prompt.values);
    free(outcome->to_verdict.values);
    free(outcome->delay.values);
    *outcome = (struct outcome){.logins = 0};
}

static int compare(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;

    return (left > right) - (left < right);
}

int32_t waits_percentile(struct waits *waits, int percent)
{
    if (waits->count == 0)
        return 0;
    qsort(waits->values, waits->count, sizeof *waits->values, compare);
    return waits->values[(waits->count - 1) * (size_t)percent / 100];
}

int64_t waits_mean(const struct waits *waits)
{
    int64_t sum = 0;

    for (size_t i = 0; i < waits->count; i++)
        sum += waits->values[i];
    return waits->count == 0 ? 0 : sum / (int64_t)waits->count;
}
