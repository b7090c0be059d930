"""The attention lab: every head of an encoder, live, down to the numbers of one row.

`settings` says what can be set, `encoders` brings tokens and layers, `compute` makes the arrays,
`view` packs them for the front end, `summary` puts them into words and `still` into a picture for
places without a front end; `form` declares the controls, and `widget` joins all of it.
"""
