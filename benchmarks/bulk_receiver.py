"""Receive batches of messages as fast as this machine can, in a process of its own.

In: POSTs on the loopback. Out: 200 for each; how many messages arrived, and how many different
ones, once asked by GET. Nothing is looked into before that.
"""

import asyncio
import gzip
import sys

import msgspec

_HEAD_ENDS = b"\r\n\r\n"


class _Message(msgspec.Struct, rename="camel"):
    message_id: str


class _Batch(msgspec.Struct):
    batch: list[_Message]


async def serve() -> None:
    """Serve until killed; the port is the first line on stdout."""
    server = await asyncio.start_server(Receiver().answer, "127.0.0.1", 0, limit=2**20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Receiver:
    """Keeps what came, still compressed."""

    def __init__(self) -> None:
        self._bodies: list[bytes] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests."""
        try:
            while True:
                head = (await reader.readuntil(_HEAD_ENDS)).lower()
                body = b'{"success":true}'
                if head.startswith(b"post"):
                    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
                    self._bodies.append(await reader.readexactly(length))
                else:
                    body = msgspec.json.encode(self._count())
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        except asyncio.IncompleteReadError:
            writer.close()

    def _count(self) -> dict[str, int]:
        decoder = msgspec.json.Decoder(_Batch)
        ids = [
            message.message_id
            for body in self._bodies
            for message in decoder.decode(gzip.decompress(body)).batch
        ]
        sizes = sum(len(gzip.decompress(body)) for body in self._bodies)
        return {
            "messages": len(ids),
            "different": len(set(ids)),
            "requests": len(self._bodies),
            "megabytes": sizes // 1_000_000,
            "megabytes_compressed": sum(map(len, self._bodies)) // 1_000_000,
        }


if __name__ == "__main__":
    sys.exit(asyncio.run(serve()))
