"""What holds for every test."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# One profile for all properties. A busy machine breaks none of them: no example has a deadline.
settings.register_profile(
    "assent", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("assent")

# A shell that starts the tests in the background lets them ignore Ctrl-C, and so every process that
# they start. The tests of being interrupted need it as it is at a terminal.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
