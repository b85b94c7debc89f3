"""The checker itself: it must catch each kind of harm that we plant, and only that."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.checker import Stored, Verdict, check
from tests.faults.ledger import Ledger, Sent, fingerprint, read_ledger

IDS = [f"run-{number}" for number in range(1_000)]


def content_of(id_: str) -> str:
    return f"content of {id_}"


@pytest.fixture
def sent(tmp_path: Path) -> Sent:
    """A thousand events sent in batches of ten; every seventh batch was not acknowledged."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for number in range(0, len(IDS), 10):
        batch = IDS[number : number + 10]
        ledger.intend({id_: content_of(id_) for id_ in batch})
        if number // 10 % 7:
            ledger.acknowledge(batch)
    ledger.close()
    return read_ledger(tmp_path / "ledger.jsonl")


@pytest.fixture
def stored(sent: Sent) -> list[Stored]:
    """What a faultless system holds: all that was acknowledged, and some of the rest."""
    chance = random.Random(7)
    kept = [id_ for id_ in IDS if id_ in sent.acknowledged or chance.random() < 0.5]
    chance.shuffle(kept)
    return [Stored(id_, fingerprint(content_of(id_))) for id_ in kept]


def test_a_faultless_system_passes(sent: Sent, stored: list[Stored]) -> None:
    """Events without an answer may be there or not."""
    verdict = check(sent, stored)
    assert verdict.is_clean
    assert str(verdict) == "nothing is wrong"
    assert 0 < len(IDS) - len(stored) < len(IDS) - len(sent.acknowledged)


def test_a_planted_loss_is_caught(sent: Sent, stored: list[Stored]) -> None:
    """One acknowledged event of a thousand is missing."""
    victim = next(event for event in stored if event.id in sent.acknowledged)
    stored.remove(victim)
    verdict = check(sent, stored)
    assert verdict == Verdict(lost=frozenset({victim.id}))
    assert not verdict.is_clean
    assert str(verdict) == f"1 lost, such as ['{victim.id}']"


@pytest.mark.parametrize("acknowledged", [True, False], ids=["acknowledged", "unanswered"])
def test_a_planted_duplicate_is_caught(
    sent: Sent, stored: list[Stored], acknowledged: bool
) -> None:
    """One event is there twice, whether its sender got an answer or not."""
    victim = next(event for event in stored if (event.id in sent.acknowledged) is acknowledged)
    verdict = check(sent, [*stored, victim])
    assert verdict == Verdict(duplicated=frozenset({victim.id}))
    assert not verdict.is_clean


def test_a_planted_phantom_is_caught(sent: Sent, stored: list[Stored]) -> None:
    """One event is there that nobody sent."""
    verdict = check(sent, [*stored, Stored("run-x", fingerprint("boo"))])
    assert verdict == Verdict(phantom=frozenset({"run-x"}))
    assert not verdict.is_clean


def test_a_planted_corruption_is_caught(sent: Sent, stored: list[Stored]) -> None:
    """One event is there with one letter changed."""
    victim = stored[3]
    stored[3] = Stored(victim.id, fingerprint(content_of(victim.id) + "."))
    verdict = check(sent, stored)
    assert verdict == Verdict(corrupted=frozenset({victim.id}))
    assert not verdict.is_clean


@given(st.lists(st.sampled_from("abcd"), max_size=8), st.sets(st.sampled_from("abcd")))
def test_the_verdict_follows_from_how_often_each_is_there(
    there: list[str], acknowledged: set[str]
) -> None:
    """For any history: clean exactly when each acknowledged one is there once, others at most."""
    sent = Sent(dict.fromkeys("abcd", "f"), acknowledged)
    verdict = check(sent, [Stored(id_, "f") for id_ in there])
    least = {id_: int(id_ in acknowledged) for id_ in "abcd"}
    assert verdict.is_clean == all(least[id_] <= there.count(id_) <= 1 for id_ in "abcd")


def test_the_ledger_keeps_what_it_was_told(tmp_path: Path) -> None:
    """Also when another producer opens the same file later."""
    path = tmp_path / "ledger.jsonl"
    for number in range(2):
        ledger = Ledger(path)
        ledger.intend({f"e{number}": "é \n 😀"})
        ledger.acknowledge([f"e{number}"])
        ledger.close()
    sent = read_ledger(path)
    assert sent.intended == {"e0": fingerprint("é \n 😀"), "e1": fingerprint("é \n 😀")}
    assert sent.acknowledged == {"e0", "e1"}


def test_an_acknowledgement_without_intent_is_a_faulty_producer(tmp_path: Path) -> None:
    """The checker's own ground truth is checked too."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.acknowledge(["never sent"])
    ledger.close()
    with pytest.raises(ValueError, match="never sent"):
        read_ledger(tmp_path / "ledger.jsonl")
