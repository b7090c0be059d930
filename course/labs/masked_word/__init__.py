"""The masked-word lab: blank any word of a sentence, and see what a model puts there."""
