"""Decide about one request: who sends, what is good, and when it is safe.

In: a body and how it arrived. Out: after the durable append, the items that were refused. Raises
what the client must be told; `reason` in an error's facts is the code for people and programs.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from headwater.base.clock import Clock
from headwater.base.errors import HeadwaterError, InvalidInputError, TooLargeError, Transient
from headwater.base.settings import TrackingSettings
from headwater.base.telemetry import MESSAGES_RECEIVED
from headwater.model import Message
from headwater.sources import NO_SOURCE
from headwater.tracking.keys import SourceKeys, read_basic
from headwater.tracking.normalise import REASONS, Reception, Refusal, normalise
from headwater.tracking.once import AppendOnce
from headwater.tracking.rules import Rules
from headwater.tracking.suppression import Suppression
from headwater.tracking.watch import Watch
from headwater.tracking.wire import Envelope, Item, Unreadable, read_envelope, read_item


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What the door knows about a request."""

    body: bytes
    type: str
    """From the path; empty for batch paths."""
    is_client_side: bool
    authorization: str
    ip: str


class Rejected(msgspec.Struct, frozen=True):
    """One item of a batch that was not kept."""

    index: int
    code: str
    message: str


class Accept:
    """The rule of the Tracking API, without its HTTP."""

    def __init__(
        self,
        once: AppendOnce,
        keys: SourceKeys,
        rules: Rules,
        suppression: Suppression,
        watch: Watch,
        clock: Clock,
        settings: TrackingSettings,
    ) -> None:
        self._once = once
        self._rules = rules
        self._watch = watch
        self._keys = keys
        self._suppression = suppression
        self._clock = clock
        self._settings = settings

    async def accept(self, arrival: Arrival) -> list[Rejected]:
        """Return the refused items of a batch, once the good ones are durable.

        Raises when nothing of the request could be kept.
        """
        try:
            envelope = read_envelope(arrival.body)
            self._check_size(envelope)
            items = [read_item(raw, self._settings.max_event_bytes) for raw in envelope.items]
            judged = await self._judge(items, envelope, arrival)
            if envelope.is_batch and not items:  # after the key: so a client can ask if it is good
                raise InvalidInputError(REASONS["empty_batch"], reason="empty_batch")
        except HeadwaterError as err:
            await self.note_refused(err, arrival.authorization, arrival.body)
            raise
        messages = [result for result in judged if isinstance(result, Message)]
        if messages:
            await self._keep(messages)
        elif judged:
            raise _nothing_left(judged, is_batch=envelope.is_batch)
        return _rejected(judged)

    async def _keep(self, messages: Sequence[Message]) -> None:
        """Append what may enter, and count what became of all."""
        self._watch.learn(messages)
        let_in = await self._rules.apply(messages)
        allowed = await self._suppression.keep_allowed(let_in)
        fresh = Counter(source_id for source_id, _ in await self._once.append(allowed))
        self._count("entered", fresh)
        self._count("duplicate", _by_source(allowed) - fresh)
        if len(let_in) < len(messages):
            self._count("blocked", _by_source(messages) - _by_source(let_in))
        if len(allowed) < len(let_in):
            self._count("suppressed", _by_source(let_in) - _by_source(allowed))

    def _count(self, what: str, by_source: Counter[str]) -> None:
        if by_source:
            self._watch.count(what, by_source)
            MESSAGES_RECEIVED.labels(what).inc(by_source.total())

    async def note_refused(self, err: HeadwaterError, authorization: str, body: bytes) -> None:
        """Count a request of which nothing could be read, at its source if the key is good."""
        if isinstance(err, Transient):
            return
        source = await self._keys.find(read_basic(authorization))
        code = str(err.facts.get("reason", err.code))
        self._watch.refuse(source.id if source else NO_SOURCE, code, err.message, body)

    def _check_size(self, envelope: Envelope) -> None:
        most = self._settings.max_batch_items
        if len(envelope.items) > most:
            raise TooLargeError(
                f"A batch has {most} messages at most.",
                hint="Send smaller batches.",
                reason="too_large",
            )

    async def _judge(
        self, items: Sequence[Item], envelope: Envelope, arrival: Arrival
    ) -> list[Message | Refusal]:
        source_ids = await self._find_sources(items, envelope, arrival)
        reception = Reception(
            received_at=self._clock.now(),
            sent_at=envelope.sent_at,
            type="" if envelope.is_batch else arrival.type,
            is_client_side=arrival.is_client_side,
            ip=arrival.ip,
            context=envelope.context,
            integrations=envelope.integrations,
        )
        judged = [
            _verdict(item, source_id, reception)
            for item, source_id in zip(items, source_ids, strict=True)
        ]
        for result, source_id, raw in zip(judged, source_ids, envelope.items, strict=True):
            if isinstance(result, Refusal):
                whose = NO_SOURCE if isinstance(source_id, Refusal) else source_id
                self._watch.refuse(whose, result.code, REASONS[result.code], raw)
        return judged

    async def _find_sources(
        self, items: Sequence[Item], envelope: Envelope, arrival: Arrival
    ) -> list[str | Refusal]:
        """Return each item's source: of the key for all, else of the item's own key."""
        key = read_basic(arrival.authorization) or envelope.write_key
        if key or not any(_own_key(item) for item in items):
            return [(await self._keys.enter(key)).id] * len(items)
        return [await self._enter_by_item(item) for item in items]

    async def _enter_by_item(self, item: Item) -> str | Refusal:
        try:
            return (await self._keys.enter(_own_key(item))).id
        except HeadwaterError as err:
            if "reason" not in err.facts:
                raise
            return Refusal(str(err.facts["reason"]))


def _by_source(messages: Sequence[Message]) -> Counter[str]:
    return Counter(message.source_id for message in messages)


def _verdict(item: Item, source_id: str | Refusal, reception: Reception) -> Message | Refusal:
    if isinstance(item, Unreadable):
        return Refusal(item.code)
    if isinstance(source_id, Refusal):
        return source_id
    return normalise(item, source_id, reception)


def _own_key(item: Item) -> str:
    key = "" if isinstance(item, Unreadable) else item.get("writeKey")
    return key if isinstance(key, str) else ""


def _rejected(judged: Sequence[Message | Refusal]) -> list[Rejected]:
    found = [
        Rejected(index, result.code, REASONS[result.code])
        for index, result in enumerate(judged)
        if isinstance(result, Refusal)
    ]
    for one in found:
        MESSAGES_RECEIVED.labels(one.code).inc()
    return found


def _nothing_left(judged: Sequence[Message | Refusal], *, is_batch: bool) -> HeadwaterError:
    rejected = _rejected(judged)
    code = "empty_batch_result" if is_batch else rejected[0].code
    reasons = {one.code for one in rejected}
    told = rejected if is_batch else []
    return InvalidInputError(REASONS[code], reason=code, reasons=reasons, rejected=told)
