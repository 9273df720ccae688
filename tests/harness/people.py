"""Who logs in. The passwords are canaries: wherever they turn up but on the wire, something leaks."""

USER = "pamcog-alice"
LOCAL_PASSWORD = "local-canary-passw0rd"
PASSWORD = "Cognito-canary-passw0rd"
WRONG_PASSWORD = "not-the-passw0rd"
EMAIL = "alice@example.com"
PHONE = "+49301234567"

# Another user of the machine and of the pool.
OTHER = "pamcog-bob"

# The user of the machine as whom token commands run.
RUNNER = "pamcog-runner"
RUNNERS = "pamcog-runners"
