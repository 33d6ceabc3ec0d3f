"""Create .env from .env.example, with new random keys and passwords.

To run it, enter `python -m django_dtale.contrib.make_env`. The template's hook runs
this file by its path, so the file imports nothing from the library.
"""

import os
import re
import secrets
from pathlib import Path


def make_env(directory: Path) -> None:
    """Create `.env` in a directory, unless the file already exists."""
    # Only keys and passwords are empty in the example. Each gets a random value.
    text = re.sub(
        r"^\w+=$",
        lambda name: name[0] + secrets.token_urlsafe(50),
        (directory / ".env.example").read_text("utf-8"),
        flags=re.MULTILINE,
    )
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        # Create the file as private: before a chmod, other accounts could open it.
        descriptor = os.open(directory / ".env", flags, 0o600)
    except FileExistsError:
        return
    with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


if __name__ == "__main__":
    make_env(Path.cwd())
