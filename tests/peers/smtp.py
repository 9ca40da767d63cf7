"""An SMTP server for the wire tests: aiosmtpd, which writes each letter into a folder.

Its arguments are the folder and how many letters it refuses first. It prints its port.
"""

import asyncio
import sys
from pathlib import Path

from aiosmtpd.controller import UnthreadedController


class Folder:
    def __init__(self, folder, refused):
        self.folder = Path(folder)
        self.refused = refused
        self.count = 0

    async def handle_DATA(self, server, session, envelope):
        if self.refused > 0:
            self.refused -= 1
            return "451 4.3.0 come again later"
        self.count += 1
        path = self.folder / ("letter-%d.eml" % self.count)
        head = "X-Envelope-To: %s\r\n" % ", ".join(envelope.rcpt_tos)
        partial = path.with_suffix(".part")
        partial.write_bytes(head.encode() + envelope.content)
        partial.rename(path)
        return "250 2.0.0 taken"


async def main():
    handler = Folder(sys.argv[1], int(sys.argv[2]))
    loop = asyncio.get_running_loop()
    controller = UnthreadedController(handler, hostname="127.0.0.1", port=0, loop=loop)
    server = await controller._create_server()
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
