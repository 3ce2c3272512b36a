"""What the site reads of a request for a list or a ledger: addresses, queries, two headers."""

from contextlib import suppress

from archive.site.lists.asked import read_reload, read_wanted, takes_gzip
from archive.site.sending import Span, cut, pieces, read_range

_SPANS = [Span(offset=0, size=10), Span(offset=20, size=600_000), Span(offset=700_000, size=1)]
_SIZE = sum(span.size for span in _SPANS)


def addresses(data: bytes) -> None:
    """Parts of a path, a query, Accept-Encoding and Range, one a line. What is read is written the same."""
    texts = [*data.decode("utf-8", "surrogateescape").split("\n"), *[""] * 7]
    station, unit, camera, file, query, coding, asked = texts[:7]
    with suppress(ValueError):
        wanted = read_wanted(station, unit, camera, file)
        assert (wanted.name.station, wanted.name.unit, wanted.camera) == (station, unit, camera)
        assert f"{wanted.hour}.m3u8" == file
    with suppress(ValueError):
        msn = read_reload(query)
        assert query == ("" if msn is None else f"_HLS_msn={msn}")
    assert isinstance(takes_gzip(coding), bool)
    with suppress(ValueError):
        begin, end = read_range(asked, _SIZE) or (0, _SIZE)
        assert 0 <= begin < end <= _SIZE
        assert sum(span.size for piece in pieces(cut(_SPANS, begin, end)) for span in piece) == end - begin


def requests() -> list[bytes]:
    """One of each."""
    return [
        b"57-002\nu1\ncam1\n2027-02-07T05Z.m3u8\n_HLS_msn=17\nbr, gzip;q=0.5\nbytes=5-",
        b"57-002\nu1\ncam1\n" + b"a" * 32 + b"+05.m3u8\n\ngzip;q=0\nbytes=-7",
        b"\n\n\n\n\n\nbytes=1-2,3-4",
    ]
