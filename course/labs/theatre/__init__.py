"""The training theatre: watch a training, drive it, look around in any earlier moment of it.

`curve` turns a run's records into arrays, `moments` has the model of a moment answer the held-out
examples, `runs` holds what is shown: a run, and perhaps a branch of it. `settings` checks what the
controls say, `form` declares them, `view` packs all of it for the front end, `summary` puts it into
words, `still` into a picture, `ticking` sends what is new, and `widget` joins all of it.
The trainings themselves, and the process that they run in, are `course.training`.
"""
