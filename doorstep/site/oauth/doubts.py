"""Why an assertion was not believed, from the validator to the answer: the toolkit's own error has no place for it."""

from contextvars import ContextVar

_doubt: ContextVar[str] = ContextVar("doubt", default="")


def note(words: str) -> None:
    """Remember why the assertion of the request that is being answered was not believed."""
    _doubt.set(words)


def taken() -> str:
    """What was remembered, which is forgotten by that; "" for nothing."""
    words = _doubt.get()
    _doubt.set("")
    return words
