"""Extensions: send what is known of people to the systems where the company works.

In: profiles. Out: messages over HTTP. Each extension is one folder that declares itself in the
gallery; `segment` holds the first one. House two is never imported here: it is reached by its URL.
"""

from headwater.extensions import segment
from headwater.extensions.contract import ExtensionType, Setting
from headwater.extensions.gallery import GALLERY, find_extension
from headwater.extensions.segment import RunResult, SegmentStatus, SegmentSync

__all__ = [
    "GALLERY",
    "ExtensionType",
    "RunResult",
    "SegmentStatus",
    "SegmentSync",
    "Setting",
    "find_extension",
    "segment",
]
