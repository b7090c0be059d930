"""Public data sets from the Hugging Face hub, fetched only when the learner asks for it."""
