"""Properties of the AMI framing, with Hypothesis doing the cutting."""

from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.ami import wire
from callcenter.errors import BadInput

PIECES = st.sampled_from(
    [
        b"\r\n",
        b"\r",
        b"\n",
        b"\r\n\r\n",
        b"Event: A",
        b"Event: Hangup\r\nX: y",
        b": ",
        b"\xe7\x8e",
        b"\x8b",
        b"x" * 90,
    ]
)
STREAMS = st.lists(PIECES | st.binary(max_size=8), max_size=40).map(b"".join)
STREAMS_WITH_GREETING = st.tuples(
    st.sampled_from([b"", b"Asterisk Call Manager/11.0.0\r\n", b"Asterisk Call Ma", b"Asterisk Call Manager"]),
    STREAMS,
).map(b"".join)


def cut(stream: bytes, sizes: list[int]) -> list[bytes]:
    """Cut a stream into reads of these sizes, again and again."""
    reads, at, turn = [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        reads.append(stream[at : at + size])
        at += size
        turn += 1
    return reads


@settings(max_examples=200, deadline=None)
@given(
    stream=STREAMS_WITH_GREETING,
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    limit=st.sampled_from([30, 100, 100_000]),
)
def test_any_cutting_gives_the_same_blocks(stream: bytes, sizes: list[int], limit: int) -> None:
    whole, pieces = wire.Decoder(limit), wire.Decoder(limit)
    expected = whole.feed(stream + b"\r\n\r\n.")
    found = [block for read in cut(stream + b"\r\n\r\n.", sizes) for block in pieces.feed(read)]
    assert found == expected
    assert (pieces.banner, pieces.oversized) == (whole.banner, whole.oversized)


@settings(max_examples=200, deadline=None)
@given(stream=STREAMS_WITH_GREETING)
def test_nothing_from_outside_raises(stream: bytes) -> None:
    decoder = wire.Decoder(64)
    for block in decoder.feed(stream):
        wire.name(block)
        for key, value in wire.fields(block).items():
            assert isinstance(key, str)
            assert isinstance(value, str)
        assert len(block) <= 64


@settings(max_examples=200, deadline=None)
@given(headers=st.lists(st.tuples(st.text(max_size=20), st.text(max_size=50)), max_size=8))
def test_what_is_encoded_is_one_block_that_reads_back(headers: list[tuple[str, str]]) -> None:
    try:
        data = wire.encode([("Action", "Test"), *headers])
    except BadInput:
        assert any(set(key + value) & set("\r\n\0:") or not key or _unpaired(key + value) for key, value in headers)
        return
    decoder = wire.Decoder()
    [block] = decoder.feed(data)
    read = wire.fields(block)
    assert set(read) == {"Action"} | {key for key, _ in headers}


def _unpaired(text: str) -> bool:
    return any("\ud800" <= sign <= "\udfff" for sign in text)


def test_a_header_of_a_megabyte_does_no_harm() -> None:
    stream = b"Event: A\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\nEvent: B\r\n\r\n"
    decoder = wire.Decoder()
    assert [block for read in cut(stream, [1460]) for block in decoder.feed(read)] == [b"Event: B"]
    assert decoder.oversized == 1
