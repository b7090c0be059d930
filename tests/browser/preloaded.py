"""What forked kernels of the browser's tests have in memory: the course, and what its longest labs keep.

Importing this imports what the tests' notebooks import, and makes the labs that compute longest.
"""

import ipywidgets

from course import check, compare, explain, hint, labs, passages, predict, quiz  # noqa: F401

for name in labs.__all__:
    getattr(labs, name)  # imports it
for lab in (labs.AttentionLab, labs.TokenizerLab, labs.FeedForwardLab, labs.StackLab):
    lab()
ipywidgets.Widget.close_all()
