"""What is asked of one thread by others, and who is told when it ends."""

import pytest

from appliance.requests import Requests
from base.errors import OperatorError


def test_whoever_asks_while_the_end_is_told_is_refused_and_disturbs_nobody_else() -> None:
    requests: Requests[str] = Requests()
    futures = [requests.submit(lambda subject: {"for": subject}) for _ in range(2)]
    assert requests.obey("all", until=lambda: False)
    late = []

    def ask_again(_: object) -> None:
        # As another thread does at this very moment.
        late.append(requests.submit(lambda subject: {}))

    for future in futures:
        future.add_done_callback(ask_again)
    requests.end()
    assert len(late) == 2
    for future in [*futures, *late]:
        with pytest.raises(OperatorError, match="is ending"):
            future.result(timeout=0)
