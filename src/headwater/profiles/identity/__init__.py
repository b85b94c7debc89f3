"""Find who is behind a call that does not say it: session key → user, browser → user → company.

In: calls, actions and profile updates, and their log offsets. Out: users and companies for calls
that lack them, at once where the link is known, later where it is learned later. What came with a
call is never touched.
"""

from headwater.profiles.identity.identity import Identity
from headwater.profiles.identity.links import Caller, Owner
from headwater.profiles.identity.relink import Relinking

__all__ = ["Caller", "Identity", "Owner", "Relinking"]
