"""A sentence as a model's tokens, for labs in which a learner types one."""

from __future__ import annotations

from course.labs.faults import InvalidSetting
from encoder_core.text.encodings import Encoding
from encoder_core.text.tokenizer import WordPiece


def cut_sentence(
    text: object,
    tokenizer: WordPiece,
    characters: int,
    tokens: int,
    typed: str = "a sentence",
) -> Encoding:
    """Cut a sentence to at most `tokens` tokens, special ones counted; `typed` says what is asked for.

    Raises:
        InvalidSetting: no text, no word in it, or more than `characters` characters.
    """
    if not isinstance(text, str) or len(text) > characters:
        raise InvalidSetting(f"{typed.capitalize()} may have at most {characters} characters.")
    encoding = tokenizer.encode(text, max_length=tokens)
    if len(encoding) < 3:  # [CLS] and [SEP]
        raise InvalidSetting(f"There is no word in the text yet. Type {typed}.")
    return encoding
