"""check() a submission, use() what has passed, ask for a hint(); works with and without a notebook."""

from course.checking.answers import compare, use
from course.checking.entry import check
from course.checking.hints import Hint, hint
from course.checking.report import Comparison, Report

__all__ = ["Comparison", "Hint", "Report", "check", "compare", "hint", "use"]
