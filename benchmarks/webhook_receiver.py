"""Receive webhooks as fast as this machine can, in a process of its own; `/slow` takes its time.

In: POSTs on the loopback; argument: seconds that `/slow` takes. Out: 200 for each; by GET, how old
the messages of other paths were when they came, since the last time that was asked.
"""

import asyncio
import re
import sys
import time

_HEAD_ENDS = b"\r\n\r\n"
_SENT_AT = re.compile(rb'"sentNs":(\d+)')
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b"


class Receiver:
    """Keeps the ages of what came."""

    def __init__(self, slow_s: float) -> None:
        self._slow_s = slow_s
        self._ages_ms: list[float] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests."""
        try:
            while True:
                head = await reader.readuntil(_HEAD_ENDS)
                writer.write(await self._answer(head, reader))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, head: bytes, reader: asyncio.StreamReader) -> bytes:
        if head.startswith(b"GET"):
            body = repr(sorted(self._ages_ms)).encode()
            self._ages_ms = []
            return _ANSWER % (len(body), body)
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        if head.startswith(b"POST /slow"):
            await asyncio.sleep(self._slow_s)
        else:
            now_ns = time.time_ns()
            self._ages_ms += [(now_ns - int(at)) / 1e6 for at in _SENT_AT.findall(body)]
        return _ANSWER % (2, b"ok")


async def serve(slow_s: float) -> None:
    """Serve until killed; the port is the first line on stdout."""
    server = await asyncio.start_server(Receiver(slow_s).answer, "127.0.0.1", 0, limit=2**20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    sys.exit(asyncio.run(serve(float(sys.argv[1]))))
