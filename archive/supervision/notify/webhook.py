"""A message as an HTTP POST, signed."""

import hashlib
import hmac

import aiohttp

from archive.supervision.notify.message import Message, NotSent

LIMIT_S = 10


class Webhook:
    """POSTs JSON. ``Unbroken-Signature`` is ``sha256=`` and the HMAC-SHA-256 of the body by the secret, in hex;
    ``Idempotency-Key`` is the message's key. Any 2xx answer is taken; redirects are not followed.
    """

    def __init__(self, name: str, level: int, url: str, secret: bytes, *, limit_s: float = LIMIT_S) -> None:
        self.name, self.level = name, level
        self._url, self._secret, self._limit_s = url, secret, limit_s

    async def send(self, message: Message) -> None:
        """Raises NotSent."""
        body = message.body.encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": message.key,
            "Unbroken-Signature": f"sha256={hmac.new(self._secret, body, hashlib.sha256).hexdigest()}",
        }
        timeout = aiohttp.ClientTimeout(total=self._limit_s)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                status = answer.status
        except TimeoutError as error:
            raise NotSent(f"no answer within {self._limit_s:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise NotSent(str(error) or type(error).__name__) from error
        if not 200 <= status < 300:
            raise NotSent(f"answered {status}")
