"""Open files as an upload does: detect the options, and read in a separate process."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from django_dtale.exceptions import FrameError
from django_dtale.readers.detection import detect
from django_dtale.readers.doubts import Detection
from django_dtale.readers.process.client import Reader, result_of


@dataclass
class Outcome:
    """The result of opening an uploaded file.

    Attributes:
        options: the import options that were detected.
        questions: the questions that the page asks before it opens the file.
        frame: None if the file was refused.
        index: the columns that were the index in the file.
        notes: sentences about conversions.
        refusal: the reason, if the file was refused.
        seconds: the time that it took.
    """

    options: dict[str, Any] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)
    frame: pd.DataFrame | None = None
    index: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refusal: str = ""
    seconds: float = 0.0


def open_file(path: Path, name: str) -> Outcome:
    """Open a file. If there are questions, answer them as the page suggests.

    The options are detected here once more, because an upload does not return them. An
    answer, such as the name of a sheet, can lead to another question.
    """
    outcome = Outcome()
    begin = time.monotonic()
    try:
        detection = detect(path, name)
        asked = list(detection.doubts)
        if asked:
            detection = detect(path, name, detection.options)
            options = {each.option for each in asked}
            asked += [each for each in detection.doubts if each.option not in options]
        outcome.questions = [f"{each.option}: {each.text}" for each in asked]
        outcome.options = detection.options.to_dict()
        with Reader(path, name) as reader:
            opened = result_of(reader.read(confirm="if_uncertain"))
            assert isinstance(opened, Detection) == bool(outcome.questions)
            if outcome.questions:
                opened = result_of(reader.read(options=detection.options))
        outcome.frame, outcome.index = opened.frame, list(opened.index)
        outcome.notes = list(opened.conversions)
    except FrameError as error:
        outcome.refusal = str(error)
    outcome.seconds = time.monotonic() - begin
    return outcome
