"""Find, keep and remove fields of a message by their paths, such as `traits.address.city`.

In: a message's body and dotted paths. Out: what is there, or a body with other fields; the body
that came in is never changed. A path goes through lists: `properties.products.price` is the price
of each product, `properties.products.0.price` of the first. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from headwater.base.errors import InvalidInputError

_LONGEST = 500
_DEEPEST = 40


def check_path(path: str) -> None:
    """Refuse what cannot be a path."""
    names = path.split(".")
    if len(path) > _LONGEST or len(names) > _DEEPEST or not all(names):
        raise InvalidInputError(
            f"{path[:_LONGEST]!r} is no path.",
            field="path",
            hint="A path is names with dots between them, such as traits.address.city.",
        )


def find_value(body: Any, path: str) -> Any:
    """Return what is at a path, None if nothing; the whole body at an empty path."""
    found = body
    for name in path.split(".") if path else ():
        found = _step(found, name)
    return found


def find_values(body: Any, path: str) -> Iterator[Any]:
    """Yield what is at a path, of a list each element; null is nothing."""
    yield from _each(find_value(body, path))


def keep_fields(body: Any, paths: Iterable[str]) -> Any:
    """Return a copy that holds nothing but what is at the paths."""
    return _keep(body, [path.split(".") for path in paths])


def remove_fields(body: Any, paths: Iterable[str]) -> Any:
    """Return a copy without what is at the paths."""
    return _remove(body, [path.split(".") for path in paths])


def _step(found: Any, name: str) -> Any:
    if isinstance(found, Mapping):
        return found.get(name)
    if not isinstance(found, list):
        return None
    if name.isascii() and name.isdigit():
        return found[int(name)] if int(name) < len(found) else None
    steps = [_step(one, name) for one in found]
    return [one for one in steps if one is not None] or None


def _each(found: Any) -> Iterator[Any]:
    if isinstance(found, list):
        for one in found:
            yield from _each(one)
    elif found is not None:
        yield found


def _keep(found: Any, paths: Sequence[Sequence[str]]) -> Any:
    if any(not path for path in paths):
        return found
    if isinstance(found, list):
        return [_keep(one, paths) for one in found if isinstance(one, Mapping | list)]
    if not isinstance(found, Mapping):
        return None
    below = _by_name(paths)
    kept = {name: _keep(found[name], rest) for name, rest in below.items() if name in found}
    return {name: kept[name] for name in found if kept.get(name) is not None}


def _remove(found: Any, paths: Sequence[Sequence[str]]) -> Any:
    if isinstance(found, list):
        return [_remove(one, paths) for one in found]
    if not isinstance(found, Mapping):
        return found
    below = _by_name(paths)
    return {
        name: _remove(value, below[name]) if name in below else value
        for name, value in found.items()
        if all(below.get(name, ()))
    }


def _by_name(paths: Sequence[Sequence[str]]) -> dict[str, list[Sequence[str]]]:
    """Return the rests of the paths by their first name; an empty rest means the name itself."""
    below: dict[str, list[Sequence[str]]] = {}
    for path in paths:
        below.setdefault(path[0], []).append(path[1:])
    return below
