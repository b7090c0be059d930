"""A model of the next token for the exercises on decoding: it likes one text best, and says more where it is misled."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def model(text: list[int], bos_id: int) -> Callable[[list[int]], Tensor]:
    """Logits `(V,)` of the token after `ids`: largest at the text's next token while `ids` follows the text.

    Any other `ids` (the wrong beginning, a token that was not the likeliest) give other logits, which depend on all
    of them. None is positive, so that 0 is no harmless number.
    """
    words = max(12, *text, bos_id) + 1  # V

    def next_logits(ids: list[int]) -> Tensor:
        if not isinstance(ids, list):
            raise TypeError(f"next_logits takes a list of ids; this is a {type(ids).__name__}")
        if not all(isinstance(token, int) for token in ids):
            kind = next(type(token).__name__ for token in ids if not isinstance(token, int))
            raise TypeError(f"next_logits takes a list of int; there is a {kind} in this one")
        place = len(ids) - 1
        seed = sum((37 + 11 * i) * (token + 1) for i, token in enumerate(ids))
        noise = torch.tensor([((seed + 1) * (2 * v + 3) ** 2 % 101) / 50.5 for v in range(words)])
        logits = noise - 7.0
        follows = ids[:1] == [bos_id] and ids[1:] == text[:place] and place < len(text)
        if follows:
            logits[text[place]] = -2.0
        return logits

    return next_logits
