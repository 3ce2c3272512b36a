"""What the lanes of one connection share."""

from typing import cast

from appliance.uplink.client import ArchiveClient
from appliance.uplink.talk import Station, Talk


class _Nothing:
    """Stands for what is not asked here."""

    def __getattr__(self, name: str) -> int:
        return 0


def test_of_two_questions_each_hears_what_changes_until_its_own_answer() -> None:
    talk = Talk(cast("Station", _Nothing()), cast("ArchiveClient", _Nothing()))
    first = talk.question()
    heard_first = first.__enter__()
    second = talk.question()
    heard_second = second.__enter__()
    # Neither has heard anything: the one that ends must not take the other's place.
    second.__exit__(None, None, None)
    talk.has_changed("ab")
    first.__exit__(None, None, None)
    talk.has_changed("cd")
    assert (heard_first, heard_second) == ({"ab"}, set())
