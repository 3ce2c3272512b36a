"""Files of the published tree, for a site without nginx before it. Nothing else can be had by digest."""

import re
from pathlib import Path

from aiohttp import hdrs, web

_NAME = re.compile(r"(?P<sha256>(?P<folder>[0-9a-f]{2})[0-9a-f]{62})\.(?:m4s|mp4)")
_HEADERS = {
    hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable",
    hdrs.CONTENT_TYPE: "video/mp4",
    "Access-Control-Allow-Origin": "*",
}


class Media:
    """Handlers over the tree's folder, with ranges."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def routes(self) -> list[web.RouteDef]:
        """``/media/ab/SHA256.m4s`` and ``.mp4``."""
        return [web.get("/media/{folder}/{name}", self._file)]

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = _NAME.fullmatch(request.match_info["name"])
        if name is None or name["folder"] != request.match_info["folder"]:
            raise web.HTTPNotFound
        path = self._folder / name["folder"] / name.string
        if not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers=_HEADERS)
