"""The auditor's report, opened from a file as an auditor does."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from audit.report.page import write_report
from tests.fakes.answers import calm_day, hard_day, many_gaps

pytestmark = pytest.mark.browser

ANSWERS = {"a calm day": calm_day(), "a hard day": hard_day(), "a day of many gaps": many_gaps(300)}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_report_opens_without_error_and_asks_for_nothing(name: str, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(ANSWERS[name], path)
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri(), wait_until="networkidle")
    assert complaints == []
    assert requests == [path.as_uri()]
    assert page.locator("h1").first.is_visible()
    assert page.locator("svg").first.is_visible()


def test_a_report_that_asked_for_something_would_be_noticed(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(calm_day(), path)
    path.write_text(path.read_text().replace("</main>", '<img src="http://127.0.0.1:9/x.png" alt=""></main>'))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(path.as_uri(), wait_until="networkidle")
    assert any("Content Security Policy" in complaint for complaint in complaints)
