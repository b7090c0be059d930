"""stacking.repair: the article's encoder layer, mended."""

from __future__ import annotations

from course.checking.exercise import Exercise, Mistake
from course.content.stacking.exercises.encoder_layer import trials as layer_trials

_ATTENTION = "nn.MultiheadAttention(\n            d_model, nhead, dropout=dropout, batch_first=True\n        )"
_BEFORE_1 = "x = self.norm1(src) if self.norm_first else src"
_BEFORE_2 = "x = self.norm2(src) if self.norm_first else src"
_AFTER_1 = "            src = self.norm1(src)"
_AFTER_2 = "            src = self.norm2(src)"
_CALL = "src2 = self.self_attn(x, x, x, attn_mask=src_mask,"
_NETWORK = "src2 = self.linear2(self.dropout(torch.relu(self.linear1(x))))"
_SUM = "src = src + self.dropout(src2)"
_NETWORK_SUM = _NETWORK + "\n        " + _SUM
_NO_WEIGHTS = ",\n                              need_weights=False"

EXERCISE = Exercise(
    id="stacking.repair",
    signature=layer_trials.SIGNATURE,
    minutes=25,
    difficulty=3,
    cases=layer_trials.cases,
    harness=layer_trials.harness,
    finds=layer_trials.finds,
    clues=layer_trials.CLUES,
    random=True,
    results=layer_trials.RESULTS,
    mistakes=(
        Mistake(
            "without-norms",
            (
                ("        self.norm1 = nn.LayerNorm(d_model)\n", ""),
                ("        self.norm2 = nn.LayerNorm(d_model)\n", ""),
                (_BEFORE_1, "x = src"),
                (_BEFORE_2, "x = src"),
                (_AFTER_1, "            src = src"),
                (_AFTER_2, "            src = src"),
            ),
            "The layer norms are still missing (or have no weight and bias), and with them norm1 and norm2 of torch's "
            "state dict.",
            "Which two modules does figure 1 of the paper (Add & Norm) have that the listing has not?",
        ),
        Mistake(
            "still-not-batch-first",
            ((_ATTENTION, _ATTENTION.replace(", batch_first=True", "")),),
            "nn.MultiheadAttention still takes the length first: each token attends to the tokens of the other texts "
            "that stand at its own place.",
            "Which argument of nn.MultiheadAttention says that the batch comes first?",
        ),
        Mistake(
            "still-asks-for-weights",
            ((_NO_WEIGHTS, ""),),
            "nn.MultiheadAttention still computes its weights, which nobody uses. On that way a token that may look at "
            "nothing becomes NaN.",
            "Which argument of nn.MultiheadAttention says that nobody needs the weights?",
        ),
        Mistake(
            "tuple-for-a-tensor",
            (("need_weights=False)[0]", "need_weights=False)"),),
            "nn.MultiheadAttention returns two things, the output and the weights (or None), and here both together, a "
            "tuple, are used as if they were a tensor.",
            "What did the `[0]` after the listing's call do?",
        ),
        Mistake(
            "module-not-set-up",
            (("        super().__init__()\n", ""),),
            "`super().__init__()` is missing: it sets up what nn.Module keeps the parts and parameters in, so it comes "
            "before the first `self.... = nn....`.",
            "What was the first line of the listing's `__init__`?",
        ),
        Mistake(
            "masks-exchanged",
            (
                ("attn_mask=src_mask", "attn_mask=src_padding"),
                ("key_padding_mask=src_key_padding_mask,", "key_padding_mask=src_mask,"),
                ("attn_mask=src_padding", "attn_mask=src_key_padding_mask"),
            ),
            "The two masks are exchanged: src_mask (S, S) belongs to `attn_mask`, src_key_padding_mask (B, S) to "
            "`key_padding_mask`. By position key_padding_mask comes first.",
            "Which of the two masks is the same for all texts, and which has a row for each?",
        ),
        Mistake(
            "norms-unused",
            (
                (_BEFORE_1, "x = src"),
                (_BEFORE_2, "x = src"),
                (_AFTER_1, "            src = src"),
                (_AFTER_2, "            src = src"),
            ),
            "norm1 and norm2 are made and never called.",
            "Where do they stand in `forward`?",
        ),
        Mistake(
            "always-post-norm",
            (("self.norm_first = norm_first", "self.norm_first = False"),),
            "It is post-norm whatever `norm_first` says.",
            "What should change in `forward` when norm_first is True?",
        ),
        Mistake(
            "always-pre-norm",
            (("self.norm_first = norm_first", "self.norm_first = True"),),
            "It is pre-norm whatever `norm_first` says.",
            "What should change in `forward` when norm_first is False?",
        ),
        Mistake(
            "pre-norm-and-post-norm-exchanged",
            (("self.norm_first = norm_first", "self.norm_first = not norm_first"),),
            "Pre-norm and post-norm are exchanged.",
            "Where does the norm stand when it comes first?",
        ),
        Mistake(
            "norms-before-and-after",
            (
                ("        if not self.norm_first:\n" + _AFTER_1, "        src = self.norm1(src)"),
                ("        if not self.norm_first:\n" + _AFTER_2, "        src = self.norm2(src)"),
            ),
            "In pre-norm the norms are used twice: before each sub-layer and after the sum too.",
            "How often is each norm called in x + sublayer(norm(x))?",
        ),
        Mistake(
            "normalised-x-added",
            (
                (_BEFORE_1, "x = src = self.norm1(src) if self.norm_first else src"),
                (_BEFORE_2, "x = src = self.norm2(src) if self.norm_first else src"),
            ),
            "In pre-norm src itself is overwritten with the normalised one, so that this is what is added.",
            "Which x is added in x + sublayer(norm(x))?",
        ),
        Mistake(
            "keys-not-normalised",
            ((_CALL, _CALL.replace("(x, x, x,", "(x, src, src,")),),
            "In pre-norm only the queries are made of the normalised x; keys and values are made of src.",
            "Of which tensor are query, key and value made in self-attention?",
        ),
        Mistake(
            "values-not-normalised",
            ((_CALL, _CALL.replace("(x, x, x,", "(x, x, src,")),),
            "In pre-norm the values are made of src and not of the normalised x.",
            "Of which tensor are query, key and value made in self-attention?",
        ),
        Mistake(
            "attention-not-normalised",
            ((_CALL, _CALL.replace("(x, x, x,", "(src, src, src,")),),
            "In pre-norm the attention gets src itself and not the normalised x.",
            "What does the attention get in x + attention(norm(x))?",
        ),
        Mistake(
            "network-not-normalised",
            ((_NETWORK, _NETWORK.replace("(x))))", "(src))))")),),
            "In pre-norm the feed-forward network gets src itself and not the normalised x.",
            "What does the network get in x + network(norm(x))?",
        ),
        Mistake(
            "norms-exchanged",
            (
                (_BEFORE_1, _BEFORE_1.replace("norm1", "norm0")),
                (_BEFORE_2, _BEFORE_2.replace("norm2", "norm1")),
                ("self.norm0(", "self.norm2("),
                (_AFTER_1, "            src = self.norm0(src)"),
                (_AFTER_2, "            src = self.norm1(src)"),
                ("self.norm0(", "self.norm2("),
            ),
            "norm1 and norm2 are exchanged: norm1 belongs to the attention, norm2 to the feed-forward network.",
            "Which of the two norms belongs to the attention?",
        ),
        Mistake(
            "one-norm-for-both",
            (
                (_BEFORE_2, _BEFORE_2.replace("norm2", "norm1")),
                (_AFTER_2, _AFTER_2.replace("norm2", "norm1")),
            ),
            "norm1 is used in both places, and norm2 in none.",
            "How many layer norms does one layer have?",
        ),
        Mistake(
            "second-norm-missing",
            ((_BEFORE_2, "x = src"), (_AFTER_2, "            src = src")),
            "The feed-forward network has no norm.",
            "Around which two sub-layers does a norm stand?",
        ),
        Mistake(
            "first-norm-missing",
            ((_BEFORE_1, "x = src"), (_AFTER_1, "            src = src")),
            "The attention has no norm.",
            "Around which two sub-layers does a norm stand?",
        ),
        Mistake(
            "norm-of-the-output",
            (
                (
                    _SUM + "\n        if not self.norm_first:\n" + _AFTER_1,
                    "src = src + (self.dropout(src2) if self.norm_first else self.norm1(self.dropout(src2)))",
                ),
                (
                    _SUM + "\n        if not self.norm_first:\n" + _AFTER_2,
                    "src = src + (self.dropout(src2) if self.norm_first else self.norm2(self.dropout(src2)))",
                ),
            ),
            "In post-norm the norm is taken of the sub-layer's output alone, before src is added.",
            "What stands inside of the norm's brackets in norm(x + sublayer(x))?",
        ),
        Mistake(
            "transposed-once",
            (
                (_ATTENTION, _ATTENTION.replace(", batch_first=True", "")),
                (_BEFORE_1, "src = src.transpose(0, 1)\n        " + _BEFORE_1),
            ),
            "src is transposed before the attention and never back: the output is (S, B, D).",
            "Which shape should the layer's output have?",
        ),
        Mistake(
            "masks-ignored",
            (
                (_CALL, "src2 = self.self_attn(x, x, x,"),
                ("key_padding_mask=src_key_padding_mask,", ""),
            ),
            "The masks are no longer handed on.",
            "Which two arguments of the listing's call were masks?",
        ),
        Mistake(
            "mask-turned-round",
            ((_CALL, _CALL.replace("=src_mask", "=None if src_mask is None else ~src_mask")),),
            "src_mask is turned round. nn.MultiheadAttention says True = blocked, as the course does.",
            "Was anything wrong with the masks in the listing?",
        ),
        Mistake(
            "padding-turned-round",
            (
                (
                    "key_padding_mask=src_key_padding_mask",
                    "key_padding_mask=None if src_key_padding_mask is None else ~src_key_padding_mask",
                ),
            ),
            "src_key_padding_mask is turned round. nn.MultiheadAttention says True = padding, as the course does.",
            "Was anything wrong with the masks in the listing?",
        ),
        Mistake(
            "nan-wiped-away",
            (
                (_NO_WEIGHTS, ""),
                (
                    _SUM + "\n        if not self.norm_first:\n" + _AFTER_1,
                    "src2 = src2.nan_to_num(0.0)\n        "
                    + _SUM
                    + "\n        if not self.norm_first:\n"
                    + _AFTER_1,
                ),
            ),
            "The NaN of the attention is replaced by 0. What a token that may look at nothing gets is the bias of the "
            "output projection, and the gradients behind the NaN stay NaN.",
            "What is left of an output projection when all that goes into it is 0?",
        ),
        Mistake(
            "no-dropout-on-the-weights",
            ((_ATTENTION, _ATTENTION.replace("dropout=dropout, ", "")),),
            "The attention weights are no longer dropped.",
            "Which of the four places of dropout lies inside of nn.MultiheadAttention?",
        ),
        Mistake(
            "no-dropout-on-the-attention-output",
            (
                (
                    "need_weights=False)[0]\n        " + _SUM,
                    "need_weights=False)[0]\n        src = src + src2",
                ),
            ),
            "There is no dropout on the attention's output any more.",
            "Was the one self.dropout in several places a fault?",
        ),
        Mistake(
            "no-dropout-after-the-activation",
            ((_NETWORK, "src2 = self.linear2(torch.relu(self.linear1(x)))"),),
            "There is no dropout after the activation any more.",
            "Was the one self.dropout in several places a fault?",
        ),
        Mistake(
            "no-dropout-after-linear2",
            ((_NETWORK_SUM, _NETWORK + "\n        src = src + src2"),),
            "There is no dropout after linear2 any more.",
            "Was the one self.dropout in several places a fault?",
        ),
        Mistake(
            "default-rate",
            (("dropout=0.1,", "dropout=0.0,"),),
            "Told no rate, the layer drops nothing (or at another rate than 0.1): the default of `dropout` was changed.",
            "Which default did the listing have?",
        ),
        Mistake(
            "default-pre-norm",
            (("norm_first=False", "norm_first=True"),),
            "Told nothing else, the layer is pre-norm: the default of `norm_first` should be False, as in torch's layer, so "
            "that whoever used the listing still gets the post-norm of the paper.",
            "Which form should repair(64, 4, 256) have, by the signature that was given?",
        ),
        Mistake(
            "without-activation",
            (("torch.relu(self.linear1(x))", "self.linear1(x)"),),
            "There is no activation between linear1 and linear2 any more.",
            "What does max(0, ...) stand around in the article's formula?",
        ),
        Mistake(
            "gelu",
            (("torch.relu(", "F.gelu("),),
            "The activation is GELU now. ReLU, as in the listing, was right.",
            "Which activation has the article's formula?",
        ),
        Mistake(
            "without-residuals",
            ((_SUM, "src = self.dropout(src2)"),),
            "src is no longer added to what the sub-layers make.",
            "Which two sums did the listing have?",
        ),
        Mistake(
            "one-residual-lost",
            ((_NETWORK_SUM, _NETWORK + "\n        src = self.dropout(src2)"),),
            "src is no longer added to what the feed-forward network makes.",
            "Which two sums did the listing have?",
        ),
        Mistake(
            "other-epsilon",
            (("nn.LayerNorm(d_model)", "nn.LayerNorm(d_model, eps=1e-12)"),),
            "The layer norms have an eps of 1e-12 (BERT's). torch's layer, and so this one, has 1e-5.",
            "Which eps has nn.LayerNorm when it is told none?",
        ),
        Mistake(
            "still-returns-nothing",
            (("\n        return src", "\n        src = src"),),
            "`forward` returns nothing.",
            "What was the listing's last line?",
        ),
        Mistake(
            "cut-from-the-gradient",
            ((_BEFORE_1, "src = src.detach()\n        " + _BEFORE_1),),
            "The output is cut off from src (`detach`, `no_grad`): nothing before this layer could learn.",
            "Which line leaves PyTorch's record of the computation?",
        ),
    ),
    hints=(
        "Go through what the chapter has found in the listing: what is not there at all, what is taken the wrong way "
        "round, and what becomes NaN. Leave the one self.dropout alone.",
        "src is (B, S, D): tell nn.MultiheadAttention so. norm1 and norm2 work on D. norm_first decides where each of them "
        "stands.",
        "make norm1 and norm2, keep norm_first; batch_first in the attention, no weights asked for\n"
        "x <- norm1(src) if the norm is first, else src; attention of x; add to src; norm1 if the norm is last\n"
        "the same with norm2 around the feed-forward network",
        "x = self.norm1(src) if self.norm_first else src   # then self.self_attn(x, x, x, ..., need_weights=False)",
    ),
    axes=(("B", "S", "D"),),
)
