import io

from protocol import pack, unpack


def test_round():
    assert unpack(io.BytesIO(pack(b"hello"))) == b"hello"
