"""A chapter as a text, and what every chapter's test asks of it."""

from __future__ import annotations

import re
from collections.abc import Collection

from course.content import exercises, manuscript, topic
from course.content import questions as quizzes


class ChapterText:
    """A manuscript's cells, by what a test looks for in them."""

    def __init__(self, chapter: str) -> None:
        self.topic = chapter.partition("_")[2]
        self.cells = manuscript.read(chapter)
        self.source = {cell.id: cell.source for cell in self.cells}
        self.exercises = [cell.exercise for cell in self.cells if cell.exercise]
        self.prose = self._joined("markdown")
        self.code = self._joined("code")

    def _joined(self, kind: str) -> str:
        return "\n".join(cell.source for cell in self.cells if cell.kind == kind)

    def announcement(self, exercise_id: str) -> str:
        """The last markdown before an exercise's cell that announces one."""
        place = next(i for i, cell in enumerate(self.cells) if cell.exercise == exercise_id)
        return [
            cell.source
            for cell in self.cells[:place]
            if cell.kind == "markdown" and "### Exercise" in cell.source
        ][-1]

    def assert_exercise_says_what_its_check_knows(self, number: int) -> None:
        """Its heading, difficulty, minutes, hints and a tiny case; `number` counts from 0."""
        exercise = exercises.get(self.exercises[number])
        text = self.announcement(exercise.id)
        assert f"### Exercise {number + 1}: `{exercise.name}`" in text
        assert f"Difficulty {exercise.difficulty} of 3, about {exercise.minutes} minutes." in text
        assert f'`hint("{exercise.id}")`' in text
        assert "*A tiny case" in text

    def assert_questions_are_asked_once_and_predictions_explained(self) -> None:
        """Each quiz and prediction stands once; each prediction is explained after its code."""
        asked = re.findall(r'^(quiz|predict)\("([^"]+)"\)', self.code, flags=re.M)
        here = [i for i in quizzes.all_ids() if topic(i) == self.topic]
        assert sorted(question_id for _, question_id in asked) == sorted(here)
        assert all(quizzes.get(question_id).kind == kind for kind, question_id in asked)
        code = [cell.source for cell in self.cells if cell.kind == "code"]
        for place, source in enumerate(code):
            if match := re.match(r'predict\("([^"]+)"\)$', source):
                following = code[place + 1 :]
                explained = following.index(f'explain("{match[1]}")')
                assert explained >= 1, "something has to run in between"
                assert not any(text.startswith("predict(") for text in following[:explained])

    def assert_sections_are_numbered(self, count: int) -> None:
        """The sections are numbered from 1 to `count`."""
        sections = re.findall(r"^## (\d+) ", self.prose, flags=re.M)
        assert [int(number) for number in sections] == list(range(1, count + 1))

    def assert_code_fits(self, width: int, *, apart: Collection[str] = ()) -> None:
        """No line of code is longer than a notebook is wide, except in the cells named."""
        for cell in self.cells:
            if cell.kind == "code" and cell.id not in apart:
                assert max(map(len, cell.solved.split("\n"))) <= width, cell.id

    def assert_who_is_cited_stands_among_the_papers(self) -> None:
        """And the other way round, by first authors; links to arXiv have its form."""
        papers = self.source["papers"]
        text = self.prose.replace(papers, "")
        for name in re.findall(r"\b([A-Z]\w+) et al\.? ?[(,]?", text):
            assert name in papers
        for name in re.findall(r"^- (\w+)", papers, flags=re.M):
            assert name in text
        links = re.findall(r"arxiv\.org/abs/(\S+?)\)", papers)
        assert all(re.fullmatch(r"\d{4}\.\d{4,5}", link) for link in links)
