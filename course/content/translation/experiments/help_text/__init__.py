"""The help of LibreOffice, from English to Chinese: tokens, the model, its training, and baselines."""
