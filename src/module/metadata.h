/*
 * ClientMetadata: what the pool's Lambda triggers are told about this login, by the option client_metadata.
 */
#ifndef PAM_COGNITO_METADATA_H
#define PAM_COGNITO_METADATA_H

#include "module/login.h"

/* Expands the option into login->metadata: name, value, name, value, … Values that the user or a remote host chose are
 * made printable and cut. ERR_NONE, ERR_CONFIG when a value comes out longer than METADATA_MOST, ERR_NO_MEMORY. */
enum error metadata_expand(struct login *login);

#define METADATA_MOST 2048

#endif
