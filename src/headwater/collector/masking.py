"""Mask secrets in what was captured, before it reaches the log.

In: headers, URIs, bodies, text, of one call or of all calls of a batch. Out: the same with each
secret value replaced by `MARK` or a fingerprint; the very same bytes when there is nothing to hide.
Masked are: values under a secret name (in headers, query strings, forms, multipart parts, JSON at
any depth), JWT-shaped strings, bearer tokens, the password of a URI, card numbers, and what the
app's policy adds. On by default. Pure.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import msgspec

from headwater.base.vault import Vault
from headwater.collector.careful_mask import CarefulMask
from headwater.collector.close_look import CloseLook, put_covers
from headwater.collector.quick_look import QuickLook
from headwater.collector.samples import Samples
from headwater.collector.secret_names import SecretNames
from headwater.collector.secret_shapes import MARK, cut_addresses
from headwater.collector.suspects import suspect_lines
from headwater.workspace import MaskingPolicy

_ADDRESS_HEADERS = frozenset(
    ("cf-connecting-ip", "client-ip", "fastly-client-ip", "forwarded", "true-client-ip",
     "x-client-ip", "x-cluster-client-ip", "x-forwarded", "x-forwarded-for",
     "x-original-forwarded-for", "x-real-ip")
)  # fmt: skip
_MOST_REMEMBERED = 4096

Hide = Callable[[str], str]


class _HeaderNames(dict[str, str]):
    """Remembers names in lower case, and how the values of some of them are always hidden."""

    def __init__(self, hiding: Callable[[str], Hide | None]) -> None:
        self._hiding = hiding
        self.hides: dict[str, Hide] = {}

    def __missing__(self, sent: str) -> str:
        name = sent.lower()
        hide = self._hiding(name)
        if hide:
            self.hides[name] = hide
        self[sent] = name
        return name


class Masker:
    """Masks by the policy of one app. Many at once cost least: one pass looks at all of them."""

    def __init__(self, policy: MaskingPolicy, vault: Vault) -> None:
        names = SecretNames(policy)
        self._names = names
        self._policy = policy
        self._vault = vault
        self._look = QuickLook(names, emails=policy.emails)
        self._careful = CarefulMask(names, self._fingerprint, emails=policy.emails)
        self._samples = Samples(policy, self._fingerprint)
        self._header_names = _HeaderNames(self._hiding)

    def documents(self, documents: Sequence[bytes]) -> list[bytes]:
        """Return JSON documents masked; each is one line, empty when absent, at most 100 deep."""
        return self.lines(b"\n".join(documents)).split(b"\n") if documents else []

    def lines(self, text: bytes) -> bytes:
        """Return documents masked, one a line; the very same object if there is no secret."""
        places = self._look.places(text, is_json=True)
        covers = CloseLook(text, self._names, self._careful).covers(places) if places else []
        return put_covers(text, covers) if covers else text

    def headers(self, maps: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
        """Return header maps with lower-case names and masked values."""
        if len(self._header_names) > _MOST_REMEMBERED:
            # Never while a map is being read: what hides its values would be forgotten.
            self._header_names = _HeaderNames(self._hiding)
        masked = [self._by_name(headers) for headers in maps]
        values = [value for headers in masked for value in headers.values()]
        suspects = suspect_lines(values, self._look)
        if suspects:
            names = [(headers, name) for headers in masked for name in headers]
            for at in suspects:
                headers, name = names[at]
                headers[name] = self._careful.text(values[at])
        return masked

    def uris(self, uris: Sequence[str]) -> list[str]:
        """Return URIs or paths with passwords and secret parameters masked."""
        masked = list(uris)
        for at in suspect_lines(masked, self._look):
            masked[at] = self._careful.text_rules.query(masked[at])
        return masked

    def document(self, raw: bytes) -> bytes:
        """Return one JSON document masked."""
        return self.documents((raw,))[0]

    def body(self, raw: bytes, encoding: str) -> bytes:
        """Return a captured body masked: JSON, or base64 of anything."""
        return self._careful.encoded(raw) if encoding == "base64" else self.document(raw)

    def text(self, text: str) -> str:
        """Return plain text of any kind masked: JSON, a form, multipart, or words."""
        return self._careful.text(text) if suspect_lines((text,), self._look) else text

    def words(self, text: str) -> str:
        """Return text masked that may be cut or broken, such as the sample of a reject."""
        return self._careful.text_rules.words(text)

    def sample(self, item: bytes) -> str:
        """Return an item masked that was rejected."""
        return self._samples.masked(item)

    @property
    def cuts_addresses(self) -> bool:
        """Tell whether the app wants addresses of clients cut to their networks."""
        return self._policy.ip_addresses

    def address(self, ip_address: str) -> str:
        """Return the address of a client, cut to its network where the app wants that."""
        return cut_addresses(ip_address) if self.cuts_addresses else ip_address

    def traits(self, raw: bytes) -> bytes:
        """Return the fields of a profile masked: an e-mail address belongs to a profile."""
        return self._of_profiles.document(raw)

    @property
    def _of_profiles(self) -> "Masker":
        if not self._policy.emails:
            return self
        return masker_for(msgspec.structs.replace(self._policy, emails=False), self._vault)

    def _by_name(self, headers: Mapping[str, str]) -> dict[str, str]:
        names = self._header_names
        masked = {names[sent]: value for sent, value in headers.items()}
        if not names.hides.keys().isdisjoint(masked):
            for name in names.hides.keys() & masked.keys():
                masked[name] = names.hides[name](masked[name])
        return masked

    def _hiding(self, name: str) -> Hide | None:
        verdict = self._names.verdict(name)
        if verdict == "fingerprint":
            return self._fingerprint
        if verdict == "mask":
            return _hide
        return cut_addresses if self._policy.ip_addresses and name in _ADDRESS_HEADERS else None

    def _fingerprint(self, value: str) -> str:
        return f"fp_{self._vault.fingerprint(f'masked {value}')}"


@lru_cache(maxsize=256)
def masker_for(policy: MaskingPolicy, vault: Vault) -> Masker:
    """Return the masker of a policy; making one takes a moment."""
    return Masker(policy, vault)


def _hide(_value: str) -> str:
    return MARK
