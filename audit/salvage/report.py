"""What a salvage found, as salvage.json and in words."""

from collections.abc import Iterable, Sequence

from audit.files import printable
from audit.salvage.salvage import Salvaged
from audit.salvage.sources import Folder, Image
from audit.salvage.wanted import Named
from evidence import base64url
from evidence.verify.ranges import count

SCHEMA = "unbroken-salvage-1"
_MOST_SHOWN = 20
_NOT_TRIED = (
    "A segment that lies in several places of a card, and whose inode is gone, is not put together.",
    "Without its inode, a line cut at more than one border of blocks, or of blocks below 4 KiB, is not put together.",
    "File systems other than ext4 are looked through as raw bytes only.",
)


def as_json(found: Salvaged) -> dict[str, object]:
    """The object of salvage.json."""
    return {
        "schema": SCHEMA,
        "sources": [_source(source) for source in found.sources],
        "record": _names(found),
        "trusted": found.trusted,
        "lines": _lines(found),
        "media": _media(found),
        "cameras": _cameras(found),
        "read_errors": [
            {"source": each.source, "offset": each.offset, "size": each.size, "reason": each.reason}
            for each in found.errors.found
        ],
        "read_errors_unlisted_bytes": found.errors.unlisted_bytes,
        "not_tried": list(_NOT_TRIED) if _images(found) else [],
    }


def lost_anything(found: Salvaged) -> bool:
    """Whether a line or a medium that should be there did not come out, nothing did, or reading was given up."""
    gave_up = any(image.worn for image in _images(found))
    return gave_up or not found.ordered.ledger or bool(found.ordered.missing) or bool(_missing(found))


def in_words(found: Salvaged, folder: str) -> str:
    """The same for people, with what to do next. ``folder`` is where it all went."""
    out = [_headline(found), "", *_lines_in_words(found), "", *_media_in_words(found)]
    errors = found.errors.found
    if errors:
        total = sum(each.size for each in errors) + found.errors.unlisted_bytes
        out += ["", f"Could not be read: {total:,} bytes in {len(errors)} places"]
        out += _few(f"{each.source}, byte {each.offset}: {each.size:,} bytes, {each.reason}" for each in errors)
    unread = [text for source in found.sources if isinstance(source, Folder) for text in source.unread]
    if unread:
        out += ["", "Could not be opened:", *_few(unread)]
    for image in _images(found):
        if image.worn:
            out += [
                "",
                f"Given up: the tables on {image.name} lead in circles; only a part of its files was looked at.",
            ]
    if _images(found) and lost_anything(found):
        out += ["", "Not tried:", *(f"  {text}" for text in _NOT_TRIED)]
    return "\n".join([*out, "", "What to do next:", *(f"  {text}" for text in _advice(found, folder))])


def _images(found: Salvaged) -> list[Image]:
    return [source for source in found.sources if isinstance(source, Image)]


def _missing(found: Salvaged) -> list[Named]:
    return [named for named in found.wanted if named not in found.rescue.kept]


def _source(source: object) -> dict[str, object]:
    if isinstance(source, Image):
        systems = [{"offset": each.begin, "block_size": each.block_size} for each in source.file_systems]
        return {"name": source.name, "size": source.size, "file_systems": systems, "gave_up": source.worn}
    assert isinstance(source, Folder)
    return {"name": source.name, "unread": source.unread}


def _names(found: Salvaged) -> dict[str, str] | None:
    names = found.judged.names
    return None if names is None else dict(zip(("election", "station", "unit"), names, strict=True))


def _lines(found: Salvaged) -> dict[str, object]:
    ledger = found.ordered.ledger
    head = {"seq": ledger[-1].seq, "sha256": base64url.encode(ledger[-1].digest)} if ledger else None
    return {
        "kept": len(ledger),
        "head": head,
        "missing": [[begin, end] for begin, end in found.ordered.missing],
        "branches": [
            {"file": f"branches/{number}.jws", "lines": len(branch), "to_seq": branch[-1].seq}
            for number, branch in enumerate(found.ordered.branches, 1)
        ],
        "left_out": len(found.ordered.left_out),
        "broken_off": found.torn_lines,
        "refused": [
            {
                "reason": each.reason,
                "count": each.count,
                "examples": [{"source": source, "offset": offset} for source, offset in each.examples],
            }
            for each in found.refusals.all()
        ],
    }


def _media(found: Salvaged) -> dict[str, object]:
    rescue = found.rescue
    damaged = dict(rescue.damaged())
    return {
        "kept": len(rescue.kept),
        "pruned": found.wanted.pruned_count,
        "inits": len(rescue.inits),
        "inits_rebuilt": rescue.rebuilt_inits,
        "missing": [_named(each) for each in _missing(found) if each not in damaged],
        "damaged": [{**_named(each), "found": where} for each, where in damaged.items()],
        "unnamed": [
            {
                "file": each.file,
                "size": each.size,
                "found": each.where,
                "cut_bytes": each.cut_bytes,
                "claims": {
                    name: getattr(each.identity, name)
                    for name in ("election", "station", "unit", "camera", "session", "run", "index", "mode", "boot_ns")
                },
            }
            for each in rescue.unnamed.values()
        ],
        "unnamed_left_out": rescue.unnamed_left_out,
        "broken": [{"found": where, "reason": reason} for where, reason in rescue.broken.items()],
    }


def _named(each: Named) -> dict[str, object]:
    return {"path": each.path, "seq": each.seq, "sha256": each.sha256, "size": each.size}


def _cameras(found: Salvaged) -> list[dict[str, object]]:
    """Per camera, how much of the video that kept lines name is here; a segment of several branches counts once."""
    kept_ns: dict[str, int] = {}
    lost_ns: dict[str, int] = {}
    for named in found.wanted:
        total = kept_ns if named in found.rescue.kept else lost_ns
        total[named.key[1]] = total.get(named.key[1], 0) + named.to_ns - named.from_ns
    return [
        {
            "camera": camera,
            "covered_ms": kept_ns.get(camera, 0) // 1_000_000,
            "lost_ms": lost_ns.get(camera, 0) // 1_000_000,
        }
        for camera in sorted(kept_ns.keys() | lost_ns.keys())
    ]


def _headline(found: Salvaged) -> str:
    if found.judged.names is None:
        return "No line that verifies was found."
    election, station, unit = found.judged.names
    return f"Station {station}, unit {unit}, election {election}"


def _lines_in_words(found: Salvaged) -> list[str]:
    missing = found.ordered.missing
    out = [f"Lines: {len(found.ordered.ledger):,} kept, {count(missing):,} missing in between"]
    out += _few(f"missing: seq {begin}" + (f" to {end - 1}" if end > begin + 1 else "") for begin, end in missing)
    out += [f"  refused, {each.reason}: {each.count:,}" for each in found.refusals.all()]
    if found.torn_lines:
        out.append(f"  beginnings of lines that break off: {found.torn_lines:,}; old copies of a line count, too")
    for number, branch in enumerate(found.ordered.branches, 1):
        out.append(f"  another continuation, up to seq {branch[-1].seq}: branches/{number}.jws")
    if found.ordered.ledger:
        out.append("  What came after the last line kept, nobody can tell from this disk.")
    return out


def _media_in_words(found: Salvaged) -> list[str]:
    rescue = found.rescue
    missing, damaged = _missing(found), dict(rescue.damaged())
    counts = f"{len(rescue.kept):,} kept, {len(missing) - len(damaged):,} missing, {len(damaged):,} damaged"
    out = [f"Segments: {counts}, {found.wanted.pruned_count:,} pruned on purpose"]
    for camera in _cameras(found):
        covered, lost = camera["covered_ms"], camera["lost_ms"]
        assert isinstance(covered, int)
        assert isinstance(lost, int)
        out.append(f"  {camera['camera']}: {covered / 1000:,.1f} s covered, {lost / 1000:,.1f} s lost")
    out += _few(f"missing: {each.path}, line {each.seq}" for each in missing if each not in damaged)
    out += _few(f"damaged: {each.path}, line {each.seq}; found as {where}" for each, where in damaged.items())
    if rescue.unnamed:
        out.append(f"  whole segments that no kept line names: {len(rescue.unnamed):,}, in unnamed; they prove nothing")
    if rescue.broken:
        out.append(f"  begins as a segment and is none: {len(rescue.broken):,}")
    return out


def _few(lines: Iterable[str]) -> list[str]:
    shown = [f"  {printable(line)}" for line in lines]
    if len(shown) > _MOST_SHOWN:
        return [*shown[:_MOST_SHOWN], f"  and {len(shown) - _MOST_SHOWN:,} more; salvage.json lists all"]
    return shown


def _advice(found: Salvaged, folder: str) -> Sequence[str]:
    advice: list[str] = []
    if found.ordered.ledger:
        advice.append(f"Check what came out: unbroken verify {folder} --trust ROOT.pem")
    if not found.trusted:
        advice.append("Nobody vouches for the keys yet: give the root certificate with --trust.")
    if found.errors.found:
        advice.append("Read the card again in another reader, and give both copies: what one lacks the other may have.")
    if lost_anything(found) and not _images(found):
        advice.append("Give the whole disk or its image instead of a folder: files without a directory may be on it.")
    if _missing(found):
        advice.append("Ask the archive and its mirrors for the missing segments by their digests in salvage.json.")
    if found.judged.unchecked:
        advice.append("Keep unnamed/lines.txt: those lines can be checked once their start line is found elsewhere.")
    return [*advice, "Keep the disk and its image as they are."]
