"""The unit of work: all changes that a request makes to frames are saved together."""

from .unit import UnitOfWork, current, is_bound, unit_of_work

__all__ = ["UnitOfWork", "current", "is_bound", "unit_of_work"]
