"""What a person says about a link: it was wrong, or it was right after all.

A record of the `calls` stream of the log, tagged `ruling`: so it takes effect at one place in the
order of everything, and for ever.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

KeyKind = Literal["session", "anonymous"]
Verdict = Literal["apart", "joined"]


class LinkRuling(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="t",
    tag="ruling",
    omit_defaults=True,
    gc=False,
):
    """A session key or browser is not a user's (`apart`), or is (`joined`)."""

    app_id: str
    ruling_id: str
    kind: KeyKind
    key: str
    user_id: str
    verdict: Verdict
    said_at: Annotated[datetime, msgspec.Meta(tz=True)]
    said_by: str
    """The login or token that said it."""
    reason: str = ""
