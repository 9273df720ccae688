"""What people read, word for word as the manual has it."""

PASSWORD = "Password: "
SECOND_PASSWORD = "Cognito password: "

CODE = "Code (empty for a new one): "
SENT_BY_EMAIL = "A verification code was sent by e-mail to a***@e***.\n"
SENT_BY_SMS = "A verification code was sent by SMS to +*******4567.\n"
SENT_TO_EMAIL = "A verification code was sent to your e-mail address.\n"
SENT_TO_PHONE = "A verification code was sent to your phone.\n"
NOT_RIGHT = "That code is not right.\n"
EXPIRED = "That code has expired.\n"

# The usual prompt of a login whose user has an e-mail address.
ASKED = SENT_BY_EMAIL + CODE
ASKED_AGAIN = NOT_RIGHT + CODE

# The codes of a sign-in.
SIGN_IN_CODE = "Code: "
SIGN_IN_BY_SMS = "A sign-in code was sent by SMS to +*******4567.\n"
SIGN_IN_BY_EMAIL = "A sign-in code was sent by e-mail to a***@e***.\n"
SIGN_IN_FAILED = "Sign-in failed.\n"
