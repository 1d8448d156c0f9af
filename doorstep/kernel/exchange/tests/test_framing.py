"""Frames that come in pieces, together, among rubbish, too large."""

from hypothesis import given
from hypothesis import strategies as st

from doorstep.kernel.exchange.mllp.framing import Found, Framer, Piece, frame

BODY = st.binary(min_size=1, max_size=60).filter(
    lambda data: b"\x0b" not in data and b"\x1c" not in data and bool(data.strip())
)


def _messages(pieces: list[Piece]) -> list[bytes]:
    return [piece.data for piece in pieces if piece.found is Found.MESSAGE]


@given(st.lists(BODY, max_size=6), st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_feed_gives_the_same_messages_however_the_stream_is_cut(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(frame(body) for body in bodies)
    framer, pieces, position, turn = Framer(limit=1000), [], 0, 0
    while position < len(stream):
        step = cuts[turn % len(cuts)]
        pieces += framer.feed(stream[position : position + step])
        position, turn = position + step, turn + 1
    assert _messages(pieces) == bodies
    assert not framer.inside


@given(st.binary(max_size=400))
def test_feed_survives_any_bytes(data: bytes) -> None:
    framer = Framer(limit=50)
    for piece in framer.feed(data):
        assert len(piece.data) <= 50 or piece.found is Found.TOO_LARGE
    after = framer.feed(b"\x1c\r" + frame(b"MSH|ok"))
    assert _messages(after)[-1:] == [b"MSH|ok"]


def test_feed_counts_rubbish_between_frames() -> None:
    pieces = Framer(limit=100).feed(b"GET / HTTP/1.1" + frame(b"a") + b"\r\n" + frame(b"b"))
    assert [piece.found for piece in pieces] == [Found.RUBBISH, Found.MESSAGE, Found.MESSAGE]
    assert pieces[0].count == 14


def test_feed_keeps_the_head_of_what_is_too_large_and_goes_on() -> None:
    framer = Framer(limit=100)
    pieces = framer.feed(b"\x0bMSH|head" + b"x" * 300)
    pieces += framer.feed(b"y" * 300 + b"\x1c\r" + frame(b"next"))
    assert [piece.found for piece in pieces] == [Found.TOO_LARGE, Found.MESSAGE]
    assert pieces[0].data.startswith(b"MSH|head")
    assert pieces[0].count == 608


def test_feed_drops_a_message_that_begins_again() -> None:
    pieces = Framer(limit=100).feed(b"\x0bhalf" + frame(b"whole"))
    assert [piece.found for piece in pieces] == [Found.BROKEN, Found.MESSAGE]


def test_feed_takes_gb18030_whose_second_bytes_look_like_separators() -> None:
    text = "MSH|^~\\&|HIS|亅乛亊乗"
    body = text.encode("gb18030")
    assert _messages(Framer(limit=100).feed(frame(body)))[0].decode("gb18030") == text
