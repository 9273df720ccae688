/*
 * An AWS account in one region: its operations, and the quota that each counts against. From "Quotas in Amazon Cognito"
 * of the developer guide, where the categories have these names.
 */
#ifndef PAM_COGNITO_FLEET_ACCOUNT_H
#define PAM_COGNITO_FLEET_ACCOUNT_H

#include "quota.h"

enum category {
    USER_AUTHENTICATION,
    CHALLENGE_RESPONSES, /* of UserAuthentication, three times that quota; what is beyond counts there */
    USER_READ,
    USER_RESOURCE_READ,
    USER_UPDATE,
    CATEGORY_COUNT
};

enum operation {
    INITIATE_AUTH,
    RESPOND_TO_AUTH_CHALLENGE,
    GET_USER,
    GET_USER_ATTRIBUTE_VERIFICATION_CODE,
    VERIFY_USER_ATTRIBUTE,
};

struct account {
    struct quota quotas[CATEGORY_COUNT];
};

/* The quotas that a new account has, a second. */
extern const int64_t account_defaults[CATEGORY_COUNT];

struct account account_begin(enum quota_kind kind, const int64_t rates[CATEGORY_COUNT]);

/* Is a call served that reaches the service at `now`, or throttled? */
bool account_call(struct account *account, enum operation operation, int64_t now);

#endif
