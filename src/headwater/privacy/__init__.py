"""Privacy: suppress and delete users by their ids, wherever this Headwater brought them.

In: a regulation: what is asked, and for whom. Out: nothing enters for them, nothing of before is
read again, their rows are deleted from warehouses and at destinations that can; and what became of
it at each of these places, in words. User ids are kept only as long as that takes.
"""

from headwater.privacy.asking import KINDS
from headwater.privacy.records import (
    Regulation,
    Target,
    get_regulation,
    list_regulations,
)
from headwater.privacy.worker import Regulations

__all__ = [
    "KINDS",
    "Regulation",
    "Regulations",
    "Target",
    "get_regulation",
    "list_regulations",
]
