"""Check a record with Python's standard library and the openssl command, from the specification alone.

    python3 check_by_hand.py FOLDER ROOT.pem

FOLDER holds ledger.jws and media/, or is ledgers/STATION/UNIT of an archive's folder, whose media lie in cas/.

A second reader, written from spec/ledger.md, spec/segment.md and spec/receipt.md without a line of this project's
code: slow, short, and meant to be read. It checks, for one ledger: every line's form, key and signature; that the
unit's certificate leads to the root; the chain from the genesis text to the close; that segments, recovered pieces
and gaps leave no moment of a camera out and claim none twice; that every named file is there with its digest, or was
pruned as it may be: UNARMED, or on a receipt that the archive signed. In an archive's folder, UNARMED files that are
not there stay at the unit (spec/verify.md, section 2.3).

It does not judge the clock, the mode, the validity and revocation of certificates, or forks, and it does not look
into the media: `unbroken verify` does. Prints what it found; exits with 0 where nothing is wrong, else with 1.
"""

import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# SubjectPublicKeyInfo of a P-256 key up to its coordinates (RFC 5480): id-ecPublicKey, prime256v1, BIT STRING, 04.
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
HEADER = rb'\{"alg":"ES256","kid":"([A-Za-z0-9_-]{43})","typ":"%b"\}'


class WrongError(Exception):
    """What is wrong with a line; it then counts for nothing."""


def main(folder: Path, root: Path) -> int:
    record = Record(folder, root)
    for number, line in enumerate(record.ledger.read_bytes().split(b"\n")[:-1]):
        try:
            record.read(line)
        except WrongError as wrong:
            record.say(f"line {number}: {wrong}")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            record.say(f"line {number}: its members are not as they must be: {error}")
    record.finish()
    for camera, (covered, missing, held) in sorted(record.totals.items()):
        more = f", {held / 1e9:.3f} s held by the archive" if held else ""
        print(f"{camera}: {covered / 1e9:.3f} s covered, {missing / 1e9:.3f} s in gaps within a boot{more}")
    if record.at_unit:
        print(f"{record.at_unit} unarmed segments stay at the unit")
    print("\n".join(record.problems) or "nothing is wrong")
    return 1 if record.problems else 0


class Record:
    """What the lines so far have said."""

    def __init__(self, folder, root):
        self.folder, self.root, self.cas = folder, root, None
        self.ledger = folder / "ledger.jws"
        data = folder.resolve().parent.parent.parent
        if folder.resolve().parent.parent.name == "ledgers" and (data / "cas").is_dir():
            self.cas = data / "cas"
            branches = sorted(folder.glob("*.jws"))
            if len(branches) != 1:
                sys.exit(f"{folder} has {len(branches)} branches; only `unbroken verify` judges forks")
            (self.ledger,) = branches
        self.problems = []
        self.seq, self.digest = -1, None
        self.session, self.point = None, None  # spec/ledger.md 4.1: the key that the newest start enrolled
        self.boot = None
        self.boots = {}  # session: its kernel boot
        self.inits = {}  # session, camera, run: digest of the init segment
        self.at = {}  # camera: boot and boot time that its record has come to
        self.totals = {}
        self.names = {}  # of the newest start: election, station, unit
        self.modes = {}  # folder and index: mode of every segment that a line names
        self.gone = {}  # the same: line of a segment that is not there
        self.named = {}  # digest: the places at which lines name it
        self.claimed = set()  # what lines with a receipt say was pruned: it is not at the unit
        self.at_unit = 0
        self.held = []  # what receipts hold: place, line of the segment, seq of the line that pruned it
        self.closed = False

    def say(self, problem):
        self.problems.append(problem)

    def read(self, line):
        """Section 2 and 3: form, key, signature, chain; then what the line says."""
        if len(line) >= 65536:
            raise WrongError("longer than 65,536 bytes")
        says, kid, signed, signature = unseal(line, b"unbroken-1")
        if not {"seq", "prev", "kind", "boot_ns", "utc_us", "error_us"} <= set(says):
            raise WrongError("not the members that every line carries")
        if says["kind"] == "start":
            point, names = self.certified(says)
            if names != f"urn:unbroken:{says['election']}:unit:{says['station']}:{says['unit']}":
                raise WrongError(f"the certificate is for {names}")
        elif self.point is None:
            raise WrongError("no start line before it")
        else:
            point = self.point
        if thumbprint(point) != kid:
            raise WrongError("signed by a key that no start line enrolled")
        if not verifies(point, signed, signature):
            raise WrongError("the signature does not check")
        self.chain(says, encode(hashlib.sha256(line).digest()))
        getattr(self, "on_" + says["kind"], lambda _: None)(says)

    def certified(self, says, when=("-no_check_time",)):
        """Section 7: key and name of the first certificate, if openssl finds the way to the root."""
        with tempfile.TemporaryDirectory() as name:
            paths = [Path(name, f"{number}.pem") for number in range(len(says["certs"]))]
            for path, text in zip(paths, says["certs"], strict=True):
                body = base64.encodebytes(decode(text.encode())).decode()
                path.write_text(f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n")
            chain = [item for path in paths[1:] for item in ("-untrusted", path)]
            # Without -purpose any: openssl checks basicConstraints and keyUsage of every issuer.
            openssl("verify", *when, "-CAfile", self.root, *chain, paths[0])
            key = openssl("x509", "-in", paths[0], "-noout", "-pubkey")
            names = openssl("x509", "-in", paths[0], "-noout", "-ext", "subjectAltName").decode()
        spki = base64.b64decode(b"".join(key.split(b"\n")[1:-2]))
        if not spki.startswith(P256) or len(spki) != len(P256) + 64:
            raise WrongError("the certificate's key is not on P-256")
        return spki[len(P256) :], names.split("URI:")[-1].strip()

    def chain(self, says, digest):
        """Section 3: seq and prev."""
        if self.closed:
            self.say(f"seq {says['seq']}: a line after the close")
        if self.digest is None:
            if says["kind"] != "start" or says["seq"] != 0:
                self.say("the beginning is missing")
            genesis = "unbroken-1 {election} {station} {unit}".format_map(says).encode()
            self.digest = encode(hashlib.sha256(genesis).digest())
        elif says["seq"] != self.seq + 1:
            self.say(f"seq {says['seq']} after {self.seq}")
            self.digest = says["prev"]
        if says["prev"] != self.digest:
            self.say(f"seq {says['seq']}: does not follow the line before")
        self.seq, self.digest = says["seq"], digest

    def on_start(self, says):
        jwk = says["session"]
        self.point = decode(jwk["x"].encode()) + decode(jwk["y"].encode())
        self.session, self.boot = thumbprint(self.point), says["boot_id"]
        self.boots[self.session] = self.boot
        for camera in says["cameras"]:
            self.at.setdefault(camera, (self.boot, says["boot_ns"]))
            self.totals.setdefault(camera, [0, 0, 0])
        self.names = {name: says[name] for name in ("election", "station", "unit")}

    def on_run(self, says):
        path = f"{self.session}/{says['camera']}/{says['run']}"
        self.inits[path] = says["init_sha256"]
        init = self.folder / "media" / path / "init.mp4"
        if init.exists() and hashlib.sha256(init.read_bytes()).hexdigest() != says["init_sha256"]:
            self.say(f"{path}/init.mp4: not the bytes that were signed")

    def on_segment(self, says):
        session = says.get("session", self.session)
        self.piece(says, self.boots[session], 0)
        folder = f"{session}/{says['camera']}/{says['run']}"
        if folder not in self.inits:
            self.say(f"{folder}: no line opened this run")
        path = self.folder / "media" / folder / f"{says['index']:06}.m4s"
        if self.cas and not path.exists():
            path = self.cas / says["sha256"][:2] / says["sha256"]
        self.modes[folder, says["index"]] = says["mode"]
        self.named.setdefault(says["sha256"], set()).add((folder, says["index"]))
        if not path.exists():
            self.gone[folder, says["index"]] = says
        elif hashlib.sha256(path.read_bytes()).hexdigest() != says["sha256"]:
            self.say(f"{path}: not the bytes that were signed")

    on_recovered = on_segment

    def on_pruned(self, says):
        """Section 4.9, and section 5 of spec/receipt.md. What no line explains is missing at the end."""
        folder, indexes = (
            f"{says['session']}/{says['camera']}/{says['run']}",
            range(says["from_index"], says["to_index"]),
        )
        if any((folder, index) not in self.modes for index in indexes):
            self.say(f"seq {says['seq']}: prunes what no line names")
        here = [place for place in self.gone if place[0] == folder and place[1] in indexes]
        if says["reason"] == "receipted" and says.get("receipt") is not None:
            held = self.acknowledged(says["receipt"])
            self.claimed.update(here)
            for place in [place for place in here if self.gone[place]["sha256"] in held]:
                self.held.append((place, self.gone.pop(place), says["seq"]))
            if any(place in self.gone for place in here):
                self.say(f"seq {says['seq']}: prunes what its receipt does not name")
        else:
            known = says["reason"] in ("unarmed-expired", "unarmed-reserve")
            if not known or any(self.modes.get((folder, index), "UNARMED") != "UNARMED" for index in indexes):
                self.say(f"seq {says['seq']}: prunes what must be kept")
            for place in here:
                self.lack(self.gone.pop(place))

    def lack(self, says, what=None):
        """The segment is not covered, and in ``totals[what]`` if that is given."""
        self.totals[says["camera"]][0] -= says["to_ns"] - says["from_ns"]
        if what is not None:
            self.totals[says["camera"]][what] += says["to_ns"] - says["from_ns"]

    def acknowledged(self, text):
        """Section 4 of spec/receipt.md: the digests that a receipt of this unit names. Revocation is not judged."""
        try:
            if len(text) > 16384:
                raise WrongError("too long")
            says, kid, signed, signature = unseal(text.removesuffix("\n").encode(), b"unbroken-receipt-1")
            point, names = self.certified(says, ("-attime", says["utc_us"] // 1_000_000))
            if names != f"urn:unbroken:{says['election']}:receipt":
                raise WrongError(f"the certificate is for {names}")
            if thumbprint(point) != kid or not verifies(point, signed, signature):
                raise WrongError("the signature does not check")
            if any(says[name] != self.names[name] for name in self.names):
                raise WrongError("it is for another unit")
            media = says.get("media", [])
            if media != sorted(set(media)) or (says["kind"] == "stored") != (0 < len(media) <= 128):
                raise WrongError("its media are not as they must be")
            return media
        except (WrongError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise WrongError(f"the receipt is refused: {error}") from error

    def on_gap(self, says):
        boot = says.get("from_boot") or self.boot
        self.piece(says, boot, 1)
        self.at[says["camera"]] = (self.boot, says["to_ns"])

    def piece(self, says, boot, what):
        """Section 5: it begins where the one before ended."""
        camera = says["camera"]
        if self.at[camera] != (boot, says["from_ns"]):
            (_, at_ns), from_ns = self.at[camera], says["from_ns"]
            self.say(f"seq {says['seq']}: {camera} goes on at {from_ns / 1e9:.3f} s, but stood at {at_ns / 1e9:.3f} s")
        self.at[camera] = (boot, says["to_ns"])
        if says.get("from_boot") in (None, self.boot):
            self.totals[camera][what] += says["to_ns"] - says["from_ns"]

    def on_close(self, says):
        self.closed = True
        for camera, (_, at_ns) in self.at.items():
            if at_ns != says["to_ns"]:
                self.say(f"{camera} ends at {at_ns / 1e9:.3f} s, the record at {says['to_ns'] / 1e9:.3f} s")

    def finish(self):
        """Section 5 of spec/receipt.md: a digest that lines name at several places is held at none of them."""
        for place, says, seq in self.held:
            if len(self.named[says["sha256"]]) == 1:
                self.lack(says, 2)
            else:
                self.gone[place] = says
                self.say(f"seq {seq}: prunes what has the digest of another segment")
        for place, says in self.gone.items():
            if self.cas and says["mode"] == "UNARMED" and place not in self.claimed:
                self.at_unit += 1
                self.lack(says)
            else:
                self.say(f"media/{place[0]}/{place[1]:06}.m4s: missing")
        if not self.closed:
            self.say(f"open end after seq {self.seq}: what came then cannot be told from this copy")


def unseal(text, typ):
    """Section 2: payload, kid, signed bytes and signature of a compact JWS."""
    parts = text.split(b".")
    if len(parts) != 3:
        raise WrongError("not three parts")
    header, payload, signature = map(decode, parts)
    kid = re.fullmatch(HEADER % typ, header)
    if not kid:
        raise WrongError("not the header that the format fixes")
    return parse(payload), kid[1].decode(), parts[0] + b"." + parts[1], signature


def decode(text):
    """base64url without padding and without unused bits."""
    data = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    if encode(data).encode() != text:
        raise WrongError("not base64url")
    return data


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def parse(payload):
    """Section 2.6: one object, integers only, no name twice."""

    def unique(pairs):
        if len(dict(pairs)) != len(pairs):
            raise WrongError("a name occurs twice")
        return dict(pairs)

    def refuse(number):
        raise WrongError(f"{number} is not an integer")

    try:
        says = json.loads(payload.decode("utf-8"), parse_float=refuse, parse_constant=refuse, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise WrongError("not JSON") from error
    if too_deep(says):
        raise WrongError("not JSON that nests at most 8 deep")
    if not isinstance(says, dict):
        raise WrongError("not an object")
    return says


def too_deep(value):
    """Section 2.6: arrays and objects nest at most 8 deep."""
    level = [value]
    for _ in range(9):
        level = [each for each in level if isinstance(each, dict | list)]
        if not level:
            return False
        level = [child for each in level for child in (each.values() if isinstance(each, dict) else each)]
    return True


def thumbprint(point):
    """RFC 7638."""
    x, y = encode(point[:32]), encode(point[32:])
    return encode(hashlib.sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest())


def verifies(point, message, signature):
    """ES256: openssl wants the two numbers as a DER sequence."""
    if len(signature) != 64:
        return False
    numbers = b"".join(der_integer(half) for half in (signature[:32], signature[32:]))
    with tempfile.TemporaryDirectory() as name:
        key, file = Path(name, "key.der"), Path(name, "signature.der")
        key.write_bytes(P256 + point)
        file.write_bytes(bytes([0x30, len(numbers)]) + numbers)
        try:
            openssl("dgst", "-sha256", "-verify", key, "-keyform", "DER", "-signature", file, given=message)
        except WrongError:
            return False
    return True


def der_integer(number):
    body = number.lstrip(b"\0") or b"\0"
    body = b"\0" + body if body[0] & 0x80 else body
    return bytes([2, len(body)]) + body


def openssl(*arguments, given=b""):
    done = subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True, check=False)
    if done.returncode:
        raise WrongError(f"openssl {arguments[0]}: {' '.join(done.stderr.decode(errors='replace').split())[:200]}")
    return done.stdout


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: check_by_hand.py FOLDER ROOT.pem")
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
