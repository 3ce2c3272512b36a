"""A viewer: a page of its own in Chromium, what it asked for, what it complained of, and what its player says."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response

_CAMERA = """index => {
  const camera = document.querySelectorAll('.player-camera')[index];
  if (!camera) return null;
  const [video, clock] = [camera.querySelector('video'), camera.querySelector('.player-clock')];
  const [notice, seal] = [camera.querySelector('.player-notice'), camera.querySelector('.seal')];
  return {
    at: clock.getAttribute('datetime'), dated: clock.dataset.kind ?? '', clock: clock.textContent,
    seal: seal?.dataset.seal ?? '', said: seal?.textContent ?? '',
    notice: notice.hidden ? '' : notice.textContent, kind: notice.hidden ? '' : notice.dataset.kind,
    state: camera.querySelector('.player-state').dataset.state, ready: video.readyState, paused: video.paused,
    time: video.currentTime, width: video.videoWidth, pictures: video.getVideoPlaybackQuality().totalVideoFrames,
  };
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One camera of the player, as it is now."""

    at: str | None
    dated: str
    clock: str
    seal: str
    said: str
    notice: str
    kind: str
    state: str | None
    ready: int
    paused: bool
    time: float
    width: int
    pictures: int

    @property
    def at_ms(self) -> float:
        """The time of the picture, ms of UTC."""
        assert self.at is not None
        return datetime.fromisoformat(self.at).timestamp() * 1000


@dataclass(kw_only=True)
class Viewer:
    """``complaints`` are errors of the page, ``asked`` the addresses of its requests.

    Not slotted: Playwright keeps a mark on the owner of a listener.
    """

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def camera(self, index: int = 0) -> Shown:
        """What stands there; fails where there is no such camera."""
        told = self.page.evaluate(_CAMERA, index)
        assert told is not None, "the page has no such camera"
        return Shown(**told)

    def until(self, condition: Any, what: str, seconds: float = 20, camera: int = 0) -> Shown:
        """Wait until it holds of a camera."""
        ends = time.monotonic() + seconds
        while True:
            told = self.page.evaluate(_CAMERA, camera)
            shown = None if told is None else Shown(**told)
            if shown is not None and condition(shown):
                return shown
            assert time.monotonic() < ends, f"not within {seconds} s: {what}; {shown}; {self.complaints}"
            self.page.wait_for_timeout(100)

    def plays(self, seconds: float = 20, camera: int = 0) -> Shown:
        """Wait until a checked picture has moved."""
        first = self.until(lambda now: now.ready >= 2 and now.clock != "", "a picture", seconds, camera)
        return self.until(lambda now: now.time > first.time + 0.3, "it moves", seconds, camera)

    def hear(self, message: ConsoleMessage) -> None:
        """Keep what the browser calls an error."""
        if message.type == "error":
            self.complaints.append(message.text)

    def answered(self, answer: Response) -> None:
        """Keep what the site refused."""
        if answer.status >= 400:
            self.complaints.append(f"{answer.status} {answer.url}")

    def hosts(self) -> set[str]:
        """Of everything that was asked for over the network."""
        return {urlsplit(address).netloc for address in self.asked if not address.startswith(("blob:", "data:"))}


@contextmanager
def viewer(browser: Browser, **options: Any) -> Iterator[Viewer]:
    """Somebody with a browser of their own. At the end: one host was asked, and nothing was stored about them."""
    context = browser.new_context(**options)
    watching = Viewer(page=context.new_page(), context=context)
    page = watching.page
    page.on("console", watching.hear)
    page.on("pageerror", lambda error: watching.complaints.append(str(error)))
    page.on("response", watching.answered)
    context.on("request", lambda request: watching.asked.append(request.url))
    try:
        yield watching
        assert len(watching.hosts()) <= 1, watching.hosts()
        assert context.cookies() == []
    finally:
        context.close()
