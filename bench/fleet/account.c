#include "account.h"

const int64_t account_defaults[CATEGORY_COUNT] = {
    [USER_AUTHENTICATION] = 120, [CHALLENGE_RESPONSES] = 360, [USER_READ] = 120,
    [USER_RESOURCE_READ] = 50,   [USER_UPDATE] = 25,
};

static const enum category categories[] = {
    [INITIATE_AUTH] = USER_AUTHENTICATION,
    [RESPOND_TO_AUTH_CHALLENGE] = CHALLENGE_RESPONSES,
    [GET_USER] = USER_READ,
    [GET_USER_ATTRIBUTE_VERIFICATION_CODE] = USER_RESOURCE_READ,
    [VERIFY_USER_ATTRIBUTE] = USER_UPDATE,
};

struct account account_begin(enum quota_kind kind, const int64_t rates[CATEGORY_COUNT])
{
    struct account account;

    for (int i = 0; i < CATEGORY_COUNT; i++)
        account.quotas[i] = quota_begin(kind, rates[i]);
    return account;
}

bool account_call(struct account *account, enum operation operation, int64_t now)
{
    struct quota *quota = &account->quotas[categories[operation]];

    if (quota_take(quota, now))
        return true;
    if (operation == RESPOND_TO_AUTH_CHALLENGE && quota_take(&account->quotas[USER_AUTHENTICATION], now))
        return true;
    quota->throttled++;
    return false;
}
