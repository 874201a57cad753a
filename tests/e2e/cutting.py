"""A program in the place of SSH that reaches a repository on this disk, and loses the answer to a
push that has arrived, if there is a file `cut` beside it. From then on nothing is reached while
there is a file `gone`. What `then` holds is run when the push has arrived.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(sys.argv[0]).parent
FLUSH = b"0000"


def main(command: str) -> int:
    """Run what Git wants to be run over there."""
    if (HERE / "gone").exists():
        sys.stderr.write("ssh: connect to host: Network is unreachable\n")
        return 255
    if "receive-pack" not in command or not (HERE / "cut").exists():
        return subprocess.run(["sh", "-c", command], check=False).returncode
    process = subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE)
    assert process.stdout is not None
    offered = b""
    while not offered.endswith(FLUSH):  # what the repository has; the answer comes after it
        size = process.stdout.read(4)
        offered = size if size == FLUSH else size + process.stdout.read(int(size, 16) - 4)
        sys.stdout.buffer.write(offered)
        sys.stdout.buffer.flush()
    process.stdout.read()
    process.wait()
    (HERE / "cut").unlink()
    if (HERE / "then").exists():
        subprocess.run(["sh", str(HERE / "then")], check=True)
    else:
        (HERE / "gone").touch()
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[-1]))
