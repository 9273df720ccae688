"""The one clock from which tokens, codes and quotas take their time."""

import time


class Clock:
    """Real time plus an offset that tests move, so that nobody waits a day for a code to expire."""

    def __init__(self) -> None:
        self._offset = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._offset

    def unmoved(self) -> float:
        """The same without the offset: the time that the clients have."""
        return time.time()

    def advance(self, seconds: float) -> None:
        """Let that much time pass at once; negative goes back."""
        self._offset += seconds
