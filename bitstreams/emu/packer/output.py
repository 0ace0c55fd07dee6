# SPDX-License-Identifier: BSD-2-Clause
"""Output that appears under its name only when it is complete, as the library of the host writes its own (host/core/output.h)."""
import os
import secrets
import signal
import stat


def write(path, content):
    """Bytes, beside `path` under a name that cannot be foretold, to the disk, then renamed. What ends the process removes the rest."""
    if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(f"{path}: not a plain file")
    temporary = f"{path}.{secrets.token_hex(8)}"
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666), "wb") as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.rename(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def end_on_signals():
    """SIGTERM and SIGHUP raise SystemExit, as SIGINT raises KeyboardInterrupt: what is temporary is then removed."""
    def end(number, _):
        raise SystemExit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
