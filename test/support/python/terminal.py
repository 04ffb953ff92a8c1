"""Runs a command on a pseudo-terminal as a person would: waits until it shows something, then types.

Usage: terminal.py DOCUMENT, where the JSON document has "command" (a list) and "steps" (a list of [shown, typed]). Prints what
came of it: {"code", "screen"}, the screen without control sequences.
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time

PATIENCE_S = 60
CONTROL = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\r")


def main() -> None:
    document = json.loads(sys.argv[1])
    command, steps = document["command"], list(document["steps"])
    process, terminal = pty.fork()
    if process == 0:
        os.environ["TERM"] = "xterm"
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        os.execvp(command[0], command)
    shown = b""
    seen_to = 0
    gives_up_at = time.monotonic() + PATIENCE_S
    while True:
        readable, _, _ = select.select([terminal], [], [], 1)
        if time.monotonic() > gives_up_at:
            sys.exit(f"waited in vain for {steps[:1]}; on the screen:\n{text(shown)}")
        if not readable:
            continue
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other side has closed
            break
        if chunk == b"":
            break
        shown += chunk
        while steps and steps[0][0] in text(shown[seen_to:]):
            os.write(terminal, steps[0][1].encode())
            seen_to = len(shown)
            steps.pop(0)
    _, status = os.waitpid(process, 0)
    if steps:
        sys.exit(f"ended before it showed {steps[0][0]!r}; on the screen:\n{text(shown)}")
    print(json.dumps({"code": os.waitstatus_to_exitcode(status), "screen": text(shown)}))


def text(shown: bytes) -> str:
    return CONTROL.sub(b"", shown).decode(errors="replace")


main()
