"""Say in words what a class of errors means. Pure.

In: a class such as `awaiting-retry.ETIMEDOUT` or `discarded.400`. Out: one sentence for people.
"""

from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    "unreadable": "A record of the log is no message.",
    "ETIMEDOUT": "It did not answer in time.",
    "ECONNREFUSED": "Nobody listens at its address.",
    "ECONNRESET": "It hung up without an answer.",
    "ECONNABORTED": "Its answer broke off.",
    "EHOSTUNREACH": "No way leads to its address.",
    "ENETUNREACH": "No way leads to its address.",
    "ENOTCONN": "No connection came about.",
    "ENOTFOUND": "Its name is not known.",
    "CERTIFICATE": "Its certificate is not valid.",
    "TLS": "No secure connection came about.",
    "NOT_HTTP": "What it answers is no HTTP.",
    "EGRESS_REFUSED": "Its address is not public, and not opened in the settings of this server.",
    "INVALID_SETTINGS": "A setting of the destination is missing or wrong.",
    "MAPPING": "The message does not fit its mapping.",
    "TOO_LARGE": "The message is larger than it takes.",
    "DISK": "The disk is full, away or may not be written.",
    "OURS": "Headwater itself sent it: it would come back to where it is from.",
    "FAULT": "A fault of Headwater; its log says more.",
    "401": "It does not take our key: mend the settings, then resume.",
    "403": "It does not take our key: mend the settings, then resume.",
    "404": "Nothing is at this address.",
    "408": "It waited too long for the request.",
    "410": "It says that the address is gone for good.",
    "413": "The message is larger than it takes.",
    "429": "It asks for fewer requests.",
}
_BY_HUNDRED: Mapping[str, str] = {
    "3": "It sends us elsewhere, where we do not go.",
    "4": "It refuses the message.",
    "5": "It is in trouble itself.",
}


def meaning_of(error_class: str) -> str:
    """Return what a class means; empty when nobody knows."""
    code = error_class.rpartition(".")[2]
    return _WORDS.get(code) or (_BY_HUNDRED.get(code[0], "") if code.isdecimal() else "")
