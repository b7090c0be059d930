"""The stack lab: what depth does to gradients, tokens and vectors, and what keeps it harmless.

`settings` says what can be set, `layers` builds the stack, `own` takes the learner's parts in,
`compute` walks a text through it and back, `view` packs that for the front end, `summary` puts it
into words and `still` into a picture; `form` declares the controls, and `widget` joins all of it.
"""
