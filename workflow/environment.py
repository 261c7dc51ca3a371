"""Set up .venv with the pinned packages, each checked by its hash: `make .venv/ready`.

Runs with the user's own Python and nothing installed. A second `make` waits until the first is
done. The mark .venv/ready holds the folder's path, so that a folder that was moved is set up anew.
"""

import fcntl
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VENV, READY, LOCK = Path(".venv"), Path(".venv/ready"), Path("requirements.txt")
PYTHON = str(VENV / "bin" / "python")


def stop(words):
    sys.exit(f"Stopped: {words}")


def up_to_date():
    """Whether another make has set it up meanwhile."""
    wanted = max(p.stat().st_mtime for p in (LOCK, Path("pyproject.toml")))
    here = READY.exists() and READY.read_text().strip() == str(VENV.resolve())
    return here and READY.stat().st_mtime >= wanted


def run(*command):
    if subprocess.run(command).returncode != 0:
        stop("the packages could not be installed; the message above says why (often the network).")


def set_up():
    print("Setting up the environment in .venv (once; this needs the network) ...", flush=True)
    if VENV.is_symlink():  # what it leads to belongs to another folder
        VENV.unlink()
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], capture_output=True)
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        stop(
            "this Python cannot make environments; on Debian: apt-get install python3-venv, "
            "then make again."
        )
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as uv:
        uv.write(re.search(r"^uv==.*?[^\\]\n", LOCK.read_text(), re.M | re.S).group())
        uv.flush()
        pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run(*pip, "--require-hashes", "--no-deps", "-r", uv.name)
    install = [PYTHON, "-m", "uv", "pip", "install", "--quiet", "--python", PYTHON]
    run(*install, "--compile-bytecode", "--require-hashes", "-r", str(LOCK))
    run(*install, "--no-deps", "--editable", ".")
    READY.write_text(f"{VENV.resolve()}\n")


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        stop("tandem needs Python 3.11 or newer; set PYTHON=, e.g. make PYTHON=python3.12.")
    with open(".venv.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another make sets up the environment; waiting for it ...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not up_to_date():
            set_up()
