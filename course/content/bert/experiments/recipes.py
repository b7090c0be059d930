"""From BERT to RoBERTa to ModernBERT: each change of the recipe by itself, on the text of chapter 05.

A recipe is a set of choices (`BERT`, in small). A change switches some of them on, and everything else stays: the
rows, the questions of validation and test, the first vectors, the optimizer, the number of updates. The learning
rate is the better of 0.001 and 0.003 for BERT's recipe, on validation.

Sources: Devlin et al. 2019, "BERT", section 3.1 and appendix A.2; Liu et al. 2019, "RoBERTa", section 4; Wettig et
al. 2023, "Should You Mask 15 % in Masked Language Modeling?"; Warner et al. 2024, "ModernBERT", section 2.1.
"""

from __future__ import annotations

from typing import Any

from course.training import Settings

__all__ = ["BERT", "CHANGES", "FEW", "MODERN", "RATES", "ROBERTA"]

RATES = (0.01, 0.03)  # higher than the recipe's
FEW = 320  # rows, where the text is to be seen often

# BERT's recipe with two layers. 400 updates of 16 rows see two thirds of the text.
BERT = Settings(
    steps=400,
    batch_size=16,
    learning_rate=3e-3,
    warmup=40,
    schedule="linear",
    optimizer="adamw",
    weight_decay=0.01,
    clip=1.0,
    d_model=64,
    nhead=4,
    num_layers=2,
    dim_feedforward=256,
    dropout=0.0,
    positions="learned",
    more={
        "masking": 0.15,  # of the pieces
        "static": True,  # hidden once, before the training
        "next_sentence": True,
        "norm_first": False,
        "gated": False,  # GEGLU with two thirds of the width, as many weights
        "biases": True,  # in the layers
        "rows": 0,  # of the text; 0 for all of it
    },
)

ROBERTA = {"next_sentence": False, "static": False}
MODERN = {
    **ROBERTA, "masking": 0.3, "positions": "rotary", "norm_first": True, "gated": True, "biases": False,
}  # fmt: skip

# Each change by itself: switched on in BERT, and taken back from ModernBERT.
CHANGES: dict[str, dict[str, Any]] = {
    "BERT": {},
    "BERT, no next-sentence task": {"next_sentence": False},
    "BERT, masks drawn anew": {"static": False},
    "BERT, 30 % masked": {"masking": 0.3},
    "BERT, rotary positions": {"positions": "rotary"},
    "BERT, a bias by distance": {"positions": "relative"},
    "BERT, pre-norm": {"norm_first": True},
    "BERT, no warm-up": {"warmup": 0},
    "BERT, GEGLU": {"gated": True},
    "BERT, no biases": {"biases": False},
    "RoBERTa": ROBERTA,
    "ModernBERT": MODERN,
    "ModernBERT, next-sentence task": {**MODERN, "next_sentence": True},
    "ModernBERT, masks drawn once": {**MODERN, "static": True},
    "ModernBERT, 15 % masked": {**MODERN, "masking": 0.15},
    "ModernBERT, 40 % masked": {**MODERN, "masking": 0.4},
    "ModernBERT, learned positions": {**MODERN, "positions": "learned"},
    "ModernBERT, a bias by distance": {**MODERN, "positions": "relative"},
    "ModernBERT, post-norm": {**MODERN, "norm_first": False},
    "ModernBERT, pre-norm, no warm-up": {**MODERN, "warmup": 0},
    "ModernBERT, post-norm, no warm-up": {**MODERN, "norm_first": False, "warmup": 0},
    "ModernBERT, GELU": {**MODERN, "gated": False},
    "ModernBERT, biases": {**MODERN, "biases": True},
    "ModernBERT, batches of 64": {**MODERN, "batch_size": 64},
    "ModernBERT, batches of 64, as much text": {
        **MODERN, "batch_size": 64, "steps": 100, "warmup": 10,
    },
    "ModernBERT, little text": {**MODERN, "rows": FEW},
    "ModernBERT, little text, masks drawn once": {**MODERN, "rows": FEW, "static": True},
    **{
        f"ModernBERT, {norm}{warm}, rate {rate:g}": {
            **MODERN, "norm_first": norm == "pre-norm", "warmup": 0 if warm else 40, "learning_rate": rate,
        }
        for norm, warm in (("post-norm", ""), ("post-norm", ", no warm-up"), ("pre-norm", ", no warm-up"))
        for rate in RATES
    },
}  # fmt: skip
