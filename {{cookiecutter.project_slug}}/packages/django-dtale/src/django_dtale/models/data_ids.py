"""D-Tale's data IDs of frames, of saved views and of earlier states.

D-Tale identifies everything that it shows by one number. A frame has its primary key.
A saved view and an earlier state of a frame have the frame's key and a variant:

    data ID = variant × 10^9 + primary key of the frame
    variant = 2 × primary key of a saved view
            = 2 × primary key of a change + 1, for the state before the change
"""

FRAMES = 10**9
DIGITS = 18  # The longest data ID.


def data_id(pk: int, variant: int = 0) -> int:
    """Return the data ID of a frame, or of a variant of it."""
    return variant * FRAMES + pk


def split_data_id(number: int) -> tuple[int, int]:
    """Return the primary key of the frame, and the variant (0 for the frame itself)."""
    variant, pk = divmod(number, FRAMES)
    return pk, variant


def variant_of_view(view: int) -> int:
    """Return the variant of a saved view."""
    return 2 * view


def variant_of_state(change: int) -> int:
    """Return the variant of the state before a change."""
    return 2 * change + 1


def split_variant(variant: int) -> tuple[bool, int]:
    """Return whether a variant is an earlier state, and its primary key."""
    return bool(variant % 2), variant // 2
