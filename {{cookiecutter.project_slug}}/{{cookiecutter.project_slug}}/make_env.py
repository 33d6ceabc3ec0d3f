"""Write .env, with a key and a password of its own: `python make_env.py`.

The post-generation hook runs this, and `make` in a colleague's clone. It needs nothing
but Python. A file that is there already stays as it is.
"""

import os
import re
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main():
    # Keys and passwords are empty in the example.
    text = re.sub(
        r"^\w+=$",
        lambda name: name[0] + secrets.token_urlsafe(50),
        (ROOT / ".env.example").read_text("utf-8"),
        flags=re.MULTILINE,
    )
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        # Private from the beginning: a mode that is set later would come too late.
        descriptor = os.open(ROOT / ".env", flags, 0o600)
    except FileExistsError:
        return
    with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


if __name__ == "__main__":
    main()
