/*
 * A helper and the replies that it gets, by a script of lines. Requests, in order: 't' a token ($ is a good one), 's' a
 * sign-in with a password, 'S' one by SRP, 'a' an answer to a challenge, 'l' a look-up, 'n' a new code, 'v' a code to
 * be confirmed; 'm' says what must match, 'y' when memory is short. Replies: see fakes/pool.h.
 */
#include "fuzz.h"
#include "script.h"

#include "fakes/clock.h"
#include "fakes/memory.h"
#include "fakes/pool.h"
#include "fakes/signature.h"

#include "helper/access.h"
#include "helper/attribute.h"
#include "helper/challenge.h"
#include "helper/cognito.h"
#include "helper/json.h"
#include "helper/report.h"
#include "helper/signin.h"
#include "helper/token.h"
#include "helper/user.h"

#include <openssl/bn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pool_seen seen;
static struct session session;
static struct checks checks;
static const char *match;

/* SRP's powers take too long to be reckoned a million times, and are the unit tests' matter. */
int BN_mod_exp_mont_consttime(BIGNUM *result, const BIGNUM *base, const BIGNUM *exponent, const BIGNUM *modulus,
                              BN_CTX *context, BN_MONT_CTX *montgomery)
{
    (void)exponent;
    (void)montgomery;
    return BN_nnmod(result, base, modulus, context);
}

static void begin(void)
{
    session = (struct session){.peer = -1};
    session.start = (struct start_message){
        .endpoint = FAKE_ENDPOINT,
        .jwks_url = FAKE_JWKS,
        .issuer = FAKE_ISSUER,
        .user_pool_id = "eu-central-1_Fuzz",
        .client_id = FAKE_CLIENT,
        .client_secret = "client-s3cret",
        .request_timeout = 10000,
    };
    session.http = http_new(&session.options, session.peer);
    session.keys.set = *fake_keys();
}

static void end(void)
{
    http_free(&session.http);
    secret_free(&session.token);
    secret_free(&session.user_id);
    user_forget(&session);
    challenge_forget(&session);
}

/* Which operation a request ends with, if it gets that far; NULL: more than one is possible. */
static const char *operation_of(char kind)
{
    switch (kind) {
    case 'n':
        return "AWSCognitoIdentityProviderService.GetUserAttributeVerificationCode";
    case 'v':
        return "AWSCognitoIdentityProviderService.VerifyUserAttribute";
    default:
        return NULL;
    }
}

static void check(char kind, bool done, const struct result *result, const char *secret)
{
    const char *operation = operation_of(kind);

    HOLDS(done == (result->error == ERR_NONE));
    HOLDS(fuzz_is_printable(result->detail) && fuzz_is_printable(result->wire_name));
    HOLDS(fuzz_is_printable(result->medium) && fuzz_is_printable(result->destination));
    HOLDS(fuzz_is_printable(result->challenge) && result->choice_count <= RESULT_CHOICES_MAX);
    HOLDS(strlen(secret) < 12 ||
          (!fuzz_quotes(result->detail, secret, 12) && !fuzz_quotes(result->wire_name, secret, 12)));
    if (operation == NULL)
        return;
    /* Sent once, unless Cognito says that it was too much; done only if Cognito says so. */
    HOLDS(seen.requests <= 1 + seen.throttled && seen.throttled <= 3);
    HOLDS(seen.requests == 0 || strcmp(seen.target, operation) == 0);
    HOLDS(!done || (seen.requests > 0 && seen.success && session.token.bytes != NULL));
}

/* A token is held only if the pool signed it for this client and user. */
static void check_token(void)
{
    const struct token_rules rules = {.keys = &session.keys.set,
                                      .issuer = FAKE_ISSUER,
                                      .client_id = FAKE_CLIENT,
                                      .match = match,
                                      .expect = "alice",
                                      .now = FAKE_NOW};
    struct result result;

    HOLDS(session.token.bytes == NULL || token_check(session.token.bytes, &rules, &result));
    HOLDS(session.token.bytes == NULL || token_has_claim(match) ||
          strcmp(user_attribute(&session, match), "alice") == 0);
}

/* What the request brought that must not be in the log. */
static const char *secret_of(char kind, const char *token, const char *code)
{
    switch (kind) {
    case 't':
        return token;
    case 's':
    case 'S':
        return FAKE_PASSWORD;
    case 'a':
    case 'v':
        return code;
    default:
        return session.token.bytes == NULL ? "" : session.token.bytes;
    }
}

static void run(char kind, const char *text)
{
    static const char *const metadata[] = {"host", "h1"};
    const struct list pairs = {.count = 2, .items = {metadata[0], metadata[1]}};
    char *token = *text == '$' ? fake_good_token("alice") : strdup(text);
    bool done = false;
    char code[256];
    struct result result;

    seen.requests = seen.throttled = 0;
    result_begin(&result);
    snprintf(code, sizeof code, "%.200s" FAKE_CODE_END, text);
    if (kind == 't')
        done = token_run(&session, &(struct token_message){.token = token, .match = match, .expect = "alice"},
                         deadline_in(10000), &result);
    if (kind == 's' || kind == 'S')
        done = signin_run(&session,
                          &(struct signin_message){.flow = kind == 's' ? "password" : "srp",
                                                   .username = "alice",
                                                   .password = FAKE_PASSWORD,
                                                   .match = match,
                                                   .expect = "alice",
                                                   .metadata = pairs},
                          deadline_in(10000), &result);
    if (kind == 'a')
        done = answer_run(&session, &(struct answer_message){.answer = code, .match = match, .expect = "alice"},
                          deadline_in(10000), &result);
    if (kind == 'l')
        done = lookup_run(&session,
                          &(struct lookup_message){.attributes = {.count = 2, .items = {"email", "phone_number"}}},
                          deadline_in(10000), &result);
    if (kind == 'n')
        done =
            send_run(&session, &(struct send_message){.attribute = *text == '\0' ? "email" : text, .metadata = pairs},
                     deadline_in(10000), &result);
    if (kind == 'v')
        done = verify_run(&session, &(struct verify_message){.attribute = "email", .code = code}, deadline_in(10000),
                          &result);
    if (kind == 'e')
        done = report_run(&session, &(struct report_message){.about = *text == 't' ? "token" : "reach"},
                          deadline_in(10000), &result);
    if (done)
        result_succeed(&result);
    cognito_withhold(&session, &result);
    fake_memory_hold(1);
    check(kind, done, &result, secret_of(kind, token, code));
    check_token();
    fake_memory_hold(-1);
    free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const matches[] = {"username", "sub", "email", "preferred_username", "custom:name"};
    struct script script;
    const char *text;
    char kind;

    fake_now = 1000;
    if (script_read(&script, data, size)) {
        pool_open(&script, &seen);
        text = script_next(&script, "m", NULL);
        match = matches[text == NULL ? 0 : (unsigned char)*text % (sizeof matches / sizeof *matches)];
        begin();
        text = script_next(&script, "y", NULL);
        if (script_next(&script, "E", NULL) != NULL)
            session.checks = &checks;
        fake_memory(text == NULL ? 0 : strtol(text, NULL, 10));
        while ((text = script_next(&script, "tsSalnve", &kind)) != NULL)
            run(kind, text);
        fake_memory(0);
        end();
        pool_close(&seen);
    }
    script_free(&script);
    return 0;
}
