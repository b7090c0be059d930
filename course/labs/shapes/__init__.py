"""The shape tracer: a text walks through an encoder step by step, each with its shape and its code.

`settings` says what can be set, `code` finds the lines of code, `encoders` brings the models,
`steps` names and explains each step, `trace` computes them, `view` packs them, `summary` puts them
into words, `still` into a picture; `form` declares the controls and `widget` joins all of it.
"""
