"""PAM's return codes by name, and libpam's own texts for them."""

import ctypes
import ctypes.util
import re

# _pam_types.h
NAMES = (
    "PAM_SUCCESS", "PAM_OPEN_ERR", "PAM_SYMBOL_ERR", "PAM_SERVICE_ERR", "PAM_SYSTEM_ERR", "PAM_BUF_ERR",
    "PAM_PERM_DENIED", "PAM_AUTH_ERR", "PAM_CRED_INSUFFICIENT", "PAM_AUTHINFO_UNAVAIL", "PAM_USER_UNKNOWN",
    "PAM_MAXTRIES", "PAM_NEW_AUTHTOK_REQD", "PAM_ACCT_EXPIRED", "PAM_SESSION_ERR", "PAM_CRED_UNAVAIL",
    "PAM_CRED_EXPIRED", "PAM_CRED_ERR", "PAM_NO_MODULE_DATA", "PAM_CONV_ERR", "PAM_AUTHTOK_ERR",
    "PAM_AUTHTOK_RECOVERY_ERR", "PAM_AUTHTOK_LOCK_BUSY", "PAM_AUTHTOK_DISABLE_AGING", "PAM_TRY_AGAIN",
    "PAM_IGNORE", "PAM_ABORT", "PAM_AUTHTOK_EXPIRED", "PAM_MODULE_UNKNOWN", "PAM_BAD_ITEM",
    "PAM_CONV_AGAIN", "PAM_INCOMPLETE",
)  # fmt: skip


def _texts() -> dict[str, str]:
    libpam = ctypes.CDLL("libpam.so.0")
    libpam.pam_strerror.argtypes = (ctypes.c_void_p, ctypes.c_int)
    libpam.pam_strerror.restype = ctypes.c_char_p
    return {libpam.pam_strerror(None, code).decode(): name for code, name in enumerate(NAMES)}


def name_of(text: str) -> str:
    """The code whose text pamtester printed last; PAM_SUCCESS where it printed none."""
    said = re.findall(r"^pamtester: (.*)$", text, re.MULTILINE)
    texts = _texts()
    failures = [texts[line] for line in said if line in texts]
    return failures[-1] if failures else "PAM_SUCCESS"
