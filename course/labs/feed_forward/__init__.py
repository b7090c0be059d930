"""The feed-forward lab: a network of width 1 learns a curve; a pretrained encoder's neurons answer.

`settings` says what can be set, `fitting` trains the small network, `reading` has the encoder
read the sentence, `compute` joins both into what is drawn, `view` packs it for the front end, `summary` puts
it into words, `form` declares the controls, and `widget` joins all of it.
"""
