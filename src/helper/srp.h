/*
 * The client's side of USER_SRP_AUTH: proves that the user's password is known, and sends nothing from which it could
 * be guessed.
 *
 * It is SRP-6a (RFC 5054, RFC 2945) over SHA-256, with Cognito's own choices: the form in which numbers are hashed, the
 * names of pool and user in x, a key derived as in RFC 5869, and an HMAC under that key as the proof. Cognito proves
 * nothing in return: who it is, TLS says.
 *
 * Sources: those three; Amazon Cognito developer guide, "Authentication with user pools"; the clients that AWS
 * publishes.
 */
#ifndef PAM_COGNITO_HELPER_SRP_H
#define PAM_COGNITO_HELPER_SRP_H

#include "common/secret.h"
#include "helper/result.h"

#include <stdbool.h>
#include <time.h>

/* One sign-in. Owns its numbers, of which one is secret. */
struct srp;

/* The ChallengeParameters of PASSWORD_VERIFIER, as they came: nothing is believed of them, NULL is an absent one. Owns
 * nothing. */
struct srp_challenge {
    const char *user_id;      /* USER_ID_FOR_SRP, not the name that the user signs in with */
    const char *salt;         /* SALT, hexadecimal */
    const char *public_key;   /* SRP_B, hexadecimal */
    const char *secret_block; /* SECRET_BLOCK, base 64 */
};

/* Begins a sign-in with a private key that the system's generator draws. NULL with ERR_SYSTEM when it cannot, or with
 * ERR_NO_MEMORY. Free with srp_free(). */
struct srp *srp_new(struct result *result);

/* Erases and frees; *srp is NULL afterwards. NULL may be passed. */
void srp_free(struct srp **srp);

/* SRP_A: the public key, lower-case hexadecimal without leading zeros. It stays the sign-in's. */
const char *srp_public_key(const struct srp *srp);

/* Answers the challenge: replaces `signature` by PASSWORD_CLAIM_SIGNATURE, to be freed with secret_free(). `timestamp`
 * is what the same answer has as TIMESTAMP, see srp_timestamp(). False, with `signature` absent, if the challenge
 * cannot be one of Cognito's (ERR_UNPARSABLE: strange text, a size out of bounds, a key that RFC 5054 refuses), or when
 * memory is short (ERR_NO_MEMORY; while the challenge is read, ERR_UNPARSABLE). */
bool srp_answer(const struct srp *srp, const char *pool_name, const char *password,
                const struct srp_challenge *challenge, const char *timestamp, struct secret *signature,
                struct result *result);

/* The pool's name: what follows the first '_' of its id, and part of it. NULL if nothing does. */
const char *srp_pool_name(const char *user_pool_id);

#define SRP_TIMESTAMP_SIZE 32

/* Writes `now` as TIMESTAMP has it, "Tue Jan 2 03:04:05 UTC 2024", in every locale. False for a time outside the years
 * 1000 to 9999. */
bool srp_timestamp(time_t now, char out[SRP_TIMESTAMP_SIZE]);

#endif
