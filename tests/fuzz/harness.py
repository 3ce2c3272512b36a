"""``python -m tests.fuzz.harness TARGET [libFuzzer options]``: one decoder under coverage-guided fuzzing.

Anything that the target raises, a run over ten seconds and more memory than the limits below end the process with a
status other than 0; libFuzzer leaves the input where -artifact_prefix says.
"""

import resource
import sys
import tempfile
from pathlib import Path

import atheris

ADDRESS_BYTES = 4 << 30
RESIDENT_MIB = 512
SLOWEST_S = 10
WORDS = (r"\"kind\":\"", r"\"from_ns\":", r"\"to_ns\":", r"\"run\":", "9007199254740991", "-1", "null")


def main() -> None:
    """Never returns: libFuzzer ends the process."""
    with atheris.instrument_imports(include=["appliance", "archive", "audit", "base", "cmaf", "evidence"]):
        from tests.fuzz.targets import TARGETS
    name, options = sys.argv[1], sys.argv[2:]
    target = TARGETS[name]
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(target.seeds()):
        target.take(seed)
        (corpus / f"seed-{number}").write_bytes(seed)
    words = folder / "words"
    words.write_text("".join(f'"{word}"\n' for word in WORDS))
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    limits = [f"-rss_limit_mb={RESIDENT_MIB}", f"-timeout={SLOWEST_S}", f"-max_len={target.most_bytes}"]
    atheris.Setup([sys.argv[0], str(corpus), f"-dict={words}", *limits, *options], target.take)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
