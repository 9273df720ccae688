"""Passwords and codes that were wrong: counted together, for each user.

Five lock out for a second, and each further one for twice as long, up to about 15 minutes.
https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa.html
"""

from .access import check_status
from .errors import CognitoError
from .pool import Pool, User

FREE_FAILURES = 5
LONGEST_LOCKOUT = 900


def check_password(pool: Pool, user: User, right: bool) -> None:
    """Whatever proof of the password the flow asks for. Only who has it learns of the user's status."""
    check(pool, user, right, wrong_password())
    check_status(user)


def check(pool: Pool, user: User, right: bool, refusal: CognitoError) -> None:
    """Refuse what is not right, and everything while the user is locked out."""
    now = pool.clock.now()
    if now < user.locked_until:
        raise CognitoError("NotAuthorizedException", "Password attempts exceeded")
    if not right:
        user.failures += 1
        if user.failures >= FREE_FAILURES:
            user.locked_until = now + min(2 ** (user.failures - FREE_FAILURES), LONGEST_LOCKOUT)
        raise refusal


def wrong_password() -> CognitoError:
    return CognitoError("NotAuthorizedException", "Incorrect username or password.")
