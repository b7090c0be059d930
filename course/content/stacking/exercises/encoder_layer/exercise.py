"""stacking.EncoderLayer: a whole layer, from its parts."""

from __future__ import annotations

from course.checking.exercise import Exercise, Mistake
from course.content.stacking.exercises.encoder_layer import trials as layer_trials

_ATTENTION = "nn.MultiheadAttention(\n            d_model, nhead, dropout=dropout, batch_first=True\n        )"
_DROPPED = "return self.dropout(attended)"
_INNER = "inner = self.dropout(torch.relu(self.linear1(x)))"
_OUTER = "return self.dropout(self.linear2(inner))"
_FIRST = "x = residual(src, attend, self.norm1, self.norm_first)"
_SECOND = "return residual(x, feed_forward, self.norm2, self.norm_first)"
_NEED = "need_weights=False,"

EXERCISE = Exercise(
    id="stacking.EncoderLayer",
    signature=layer_trials.SIGNATURE,
    minutes=35,
    difficulty=3,
    cases=layer_trials.cases,
    harness=layer_trials.harness,
    finds=layer_trials.finds,
    clues=layer_trials.CLUES,
    random=True,
    results=layer_trials.RESULTS,
    mistakes=(
        Mistake(
            "not-batch-first",
            ((_ATTENTION, _ATTENTION.replace(", batch_first=True", "")),),
            "nn.MultiheadAttention takes the length first unless it is told `batch_first=True`: here each token "
            "attends to the tokens of the other texts that stand at its own place.",
            "Which axis of src does nn.MultiheadAttention take for the length?",
        ),
        Mistake(
            "tuple-for-a-tensor",
            (("attended, _ = self.self_attn(", "attended = self.self_attn("),),
            "nn.MultiheadAttention returns two things, the output and the weights (or None), and here both together, a "
            "tuple, are used as if they were a tensor.",
            "What are the two results of `self.self_attn(x, x, x)`, and which of them is added to x?",
        ),
        Mistake(
            "module-not-set-up",
            (("        super().__init__()\n", ""),),
            "`super().__init__()` is missing: it sets up what nn.Module keeps the parts and parameters in, so it comes "
            "before the first `self.... = nn....`.",
            "Where does a module keep the parts that are assigned to it, and who makes that place?",
        ),
        Mistake(
            "returns-nothing",
            ((_SECOND, _SECOND.replace("return ", "x = ")),),
            "`forward` returns nothing.",
            "What should the caller of the layer get?",
        ),
        Mistake(
            "module-made-and-not-called",
            (("torch.relu(self.linear1(x))", "nn.ReLU(self.linear1(x))"),),
            "`nn.ReLU(x)` makes a module and takes x for a setting of it. A module is made once and then called: "
            "`nn.ReLU()(x)`; the function is `torch.relu(x)`.",
            "What kind of thing does `nn.ReLU(...)` return?",
        ),
        Mistake(
            "masks-exchanged",
            (
                (
                    "attn_mask=src_mask, key_padding_mask=src_key_padding_mask,",
                    "attn_mask=src_key_padding_mask, key_padding_mask=src_mask,",
                ),
            ),
            "The two masks are exchanged: src_mask (S, S) belongs to `attn_mask`, src_key_padding_mask (B, S) to "
            "`key_padding_mask`. By position key_padding_mask comes first.",
            "Which of the two masks is the same for all texts, and which has a row for each?",
        ),
        Mistake(
            "asks-for-weights",
            ((_NEED, "need_weights=True,"),),
            "nn.MultiheadAttention is asked for its weights (it is, unless told `need_weights=False`). On that way a "
            "token that may look at nothing becomes NaN.",
            "What does nn.MultiheadAttention compute otherwise when nobody needs the weights?",
        ),
        Mistake(
            "without-norms",
            (
                ("        self.norm1 = nn.LayerNorm(d_model)\n", ""),
                ("        self.norm2 = nn.LayerNorm(d_model)\n", ""),
                (_FIRST, "x = src + attend(src)"),
                (_SECOND, "return x + feed_forward(x)"),
            ),
            "The layer has no layer norms that torch finds under their names (a plain list hides the modules in it), or "
            "none with a weight and a bias.",
            "What are norm1.weight and norm2.weight in torch's state dict?",
        ),
        Mistake(
            "norms-unused",
            ((_FIRST, "x = src + attend(src)"), (_SECOND, "return x + feed_forward(x)")),
            "The layer has its norms, and doesn't use them.",
            "Where do norm1 and norm2 stand in each of the two forms?",
        ),
        Mistake(
            "always-post-norm",
            (("self.norm_first = norm_first", "self.norm_first = False"),),
            "It is post-norm whatever `norm_first` says.",
            "Where is norm_first kept for `forward`?",
        ),
        Mistake(
            "always-pre-norm",
            (("self.norm_first = norm_first", "self.norm_first = True"),),
            "It is pre-norm whatever `norm_first` says.",
            "Where is norm_first kept for `forward`?",
        ),
        Mistake(
            "pre-norm-and-post-norm-exchanged",
            (("self.norm_first = norm_first", "self.norm_first = not norm_first"),),
            "Pre-norm and post-norm are exchanged.",
            "Where does the norm stand when it comes first?",
        ),
        Mistake(
            "norms-exchanged",
            (
                (_FIRST, _FIRST.replace("norm1", "norm2")),
                (_SECOND, _SECOND.replace("norm2", "norm1")),
            ),
            "norm1 and norm2 are exchanged: norm1 belongs to the attention, norm2 to the feed-forward network.",
            "Which of the two norms belongs to the attention?",
        ),
        Mistake(
            "one-norm-for-both",
            ((_SECOND, _SECOND.replace("norm2", "norm1")),),
            "norm1 is used in both places, and norm2 in none.",
            "How many layer norms does one layer have?",
        ),
        Mistake(
            "second-norm-missing",
            ((_SECOND, "return x + feed_forward(x)"),),
            "The feed-forward network has no norm.",
            "Around which two sub-layers does a norm stand?",
        ),
        Mistake(
            "first-norm-missing",
            ((_FIRST, "x = src + attend(src)"),),
            "The attention has no norm.",
            "Around which two sub-layers does a norm stand?",
        ),
        Mistake(
            "without-residuals",
            (
                (
                    _FIRST,
                    "x = attend(self.norm1(src)) if self.norm_first else self.norm1(attend(src))",
                ),
                (
                    _SECOND,
                    "return feed_forward(self.norm2(x)) if self.norm_first else self.norm2(feed_forward(x))",
                ),
            ),
            "What goes into a sub-layer is not added to what comes out of it: there are no residual connections.",
            "Which of your functions adds x?",
        ),
        Mistake(
            "normalised-src-added",
            (
                (
                    _FIRST,
                    "before = self.norm1(src) if self.norm_first else src\n"
                    "        x = before + attend(before)\n"
                    "        x = x if self.norm_first else self.norm1(x)",
                ),
            ),
            "In pre-norm the normalised src is added to the attention's output, and not src itself.",
            "Which x is added in x + sublayer(norm(x))?",
        ),
        Mistake(
            "src-added-to-the-network",
            (
                (
                    _SECOND,
                    "after = feed_forward(self.norm2(x) if self.norm_first else x)\n"
                    "        return src + after if self.norm_first else self.norm2(src + after)",
                ),
            ),
            "The second sum adds src again, and what the attention has made is lost. It should add what came out of the "
            "first half.",
            "What is x in the second x + sublayer(norm(x))?",
        ),
        Mistake(
            "second-residual-missing",
            (
                (
                    _SECOND,
                    "after = feed_forward(self.norm2(x) if self.norm_first else x)\n"
                    "        return after if self.norm_first else self.norm2(after)",
                ),
            ),
            "The feed-forward network has no residual connection.",
            "How many sums does a layer have?",
        ),
        Mistake(
            "norm-at-the-end-of-pre-norm",
            (
                (
                    _SECOND,
                    "x = residual(x, feed_forward, self.norm2, self.norm_first)\n"
                    "        return self.norm2(x) if self.norm_first else x",
                ),
            ),
            "In pre-norm norm2 is used once more, at the end of the layer. The last norm of a pre-norm stack belongs to the "
            "stack, not to each layer.",
            "What should be the last step of a pre-norm layer?",
        ),
        Mistake(
            "without-attention",
            ((_FIRST, "x = src"),),
            "The attention is left out.",
            "Which two sub-layers does a layer have?",
        ),
        Mistake(
            "without-feed-forward",
            ((_SECOND, "return x"),),
            "The feed-forward network is left out.",
            "Which two sub-layers does a layer have?",
        ),
        Mistake(
            "side-by-side",
            (
                (
                    _FIRST,
                    "before = self.norm1(src) if self.norm_first else src\n        x = src + attend(before)",
                ),
                (
                    _SECOND,
                    "before = self.norm2(src) if self.norm_first else src\n"
                    "        x = x + feed_forward(before)\n"
                    "        return x if self.norm_first else self.norm2(self.norm1(x))",
                ),
            ),
            "Both sub-layers get src: the feed-forward network should get what the attention has made of it.",
            "What goes into the feed-forward network?",
        ),
        Mistake(
            "feed-forward-first",
            (
                (_FIRST, "x = residual(src, feed_forward, self.norm2, self.norm_first)"),
                (_SECOND, "return residual(x, attend, self.norm1, self.norm_first)"),
            ),
            "The feed-forward network comes before the attention.",
            "Which of the two comes first in a layer?",
        ),
        Mistake(
            "gelu",
            (("torch.relu(", "F.gelu("),),
            "The activation is GELU. It is that of BERT; asked is ReLU, as in torch's layer and the article.",
            "What does max(0, x) do to negative numbers, and what does GELU?",
        ),
        Mistake(
            "without-activation",
            (("torch.relu(self.linear1(x))", "self.linear1(x)"),),
            "There is no activation between linear1 and linear2, so that the two are no more than one linear map.",
            "What does max(0, ...) stand around in the formula of the feed-forward network?",
        ),
        Mistake(
            "activation-after-linear2",
            (
                (_INNER, "inner = self.dropout(self.linear1(x))"),
                (_OUTER, "return self.dropout(torch.relu(self.linear2(inner)))"),
            ),
            "The activation comes after linear2 and not between the two maps.",
            "What does max(0, ...) stand around in the formula of the feed-forward network?",
        ),
        Mistake(
            "activation-twice",
            ((_OUTER, "return self.dropout(torch.relu(self.linear2(inner)))"),),
            "There is an activation after linear2 too, so that the network can only add positive numbers.",
            "What does max(0, ...) stand around in the formula of the feed-forward network?",
        ),
        Mistake(
            "mask-ignored",
            (("attn_mask=src_mask, ", ""),),
            "src_mask is not handed on.",
            "Which argument of nn.MultiheadAttention takes a mask (S, S)?",
        ),
        Mistake(
            "padding-ignored",
            (("key_padding_mask=src_key_padding_mask,", ""),),
            "src_key_padding_mask is not handed on.",
            "Which argument of nn.MultiheadAttention takes a mask (B, S)?",
        ),
        Mistake(
            "masks-ignored",
            (("attn_mask=src_mask, key_padding_mask=src_key_padding_mask,", ""),),
            "Neither mask is handed on to the attention.",
            "Which arguments of nn.MultiheadAttention take masks?",
        ),
        Mistake(
            "mask-turned-round",
            (("attn_mask=src_mask", "attn_mask=None if src_mask is None else ~src_mask"),),
            "src_mask is turned round. nn.MultiheadAttention says True = blocked, as the course does.",
            "Which of torch's functions says it the other way round, and is it used here?",
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
            "Which tokens may then be attended to?",
        ),
        Mistake(
            "padding-set-to-zero",
            (
                (
                    _SECOND,
                    _SECOND.replace("return", "x =")
                    + "\n        if src_key_padding_mask is not None:\n"
                    "            x = x.masked_fill(src_key_padding_mask.unsqueeze(-1), 0.0)\n        return x",
                ),
            ),
            "The rows of padding are set to zero. Nobody may look at them, so they need not be, and torch's layer "
            "doesn't do it (with gradients).",
            "Who would see the difference?",
        ),
        Mistake(
            "no-dropout-on-the-weights",
            ((_ATTENTION, _ATTENTION.replace("dropout=dropout, ", "")),),
            "The attention weights are not dropped: nn.MultiheadAttention has a dropout of its own, which is 0 unless "
            "it is told.",
            "Which of the four places lies inside of nn.MultiheadAttention?",
        ),
        Mistake(
            "no-dropout-on-the-attention-output",
            ((_DROPPED, "return attended"),),
            "There is no dropout on the attention's output, before it is added to x.",
            "Which four places does the exercise name?",
        ),
        Mistake(
            "no-dropout-after-the-activation",
            ((_INNER, "inner = torch.relu(self.linear1(x))"),),
            "There is no dropout after the activation.",
            "Which four places does the exercise name?",
        ),
        Mistake(
            "no-dropout-after-linear2",
            ((_OUTER, "return self.linear2(inner)"),),
            "There is no dropout after linear2, before its output is added to x.",
            "Which four places does the exercise name?",
        ),
        Mistake(
            "no-dropout",
            (
                (_ATTENTION, _ATTENTION.replace("dropout=dropout, ", "")),
                (_DROPPED, "return attended"),
                (_INNER, "inner = torch.relu(self.linear1(x))"),
                (_OUTER, "return self.linear2(inner)"),
            ),
            "There is no dropout anywhere.",
            "Which four places does the exercise name?",
        ),
        Mistake(
            "dropout-only-inside-the-attention",
            (
                (_DROPPED, "return attended"),
                (_INNER, "inner = torch.relu(self.linear1(x))"),
                (_OUTER, "return self.linear2(inner)"),
            ),
            "Only the attention weights are dropped.",
            "Which other three places does the exercise name?",
        ),
        Mistake(
            "dropout-only-in-the-feed-forward",
            (
                (_ATTENTION, _ATTENTION.replace("dropout=dropout, ", "")),
                (_DROPPED, "return attended"),
            ),
            "There is no dropout in the attention, neither on its weights nor on its output.",
            "Which two of the four places belong to the attention?",
        ),
        Mistake(
            "fixed-rate",
            (("nn.Dropout(dropout)", "nn.Dropout(0.1)"),),
            "The rate 0.1 is written into the code; the argument `dropout` is not used.",
            "With which rate should a layer drop that was made with dropout=0.3?",
        ),
        Mistake(
            "default-rate",
            (("dropout: float = 0.1,", "dropout: float = 0.0,"),),
            "Told no rate, the layer drops nothing (or at another rate than 0.1): the default of `dropout` was changed.",
            "What does EncoderLayer(64, 4, 256) drop, by the signature that was given?",
        ),
        Mistake(
            "default-pre-norm",
            (("norm_first: bool = False,", "norm_first: bool = True,"),),
            "Told nothing else, the layer is pre-norm: the default of `norm_first` was changed. The signature says False, "
            "as in torch's layer.",
            "Which form does EncoderLayer(64, 4, 256) have, by the signature that was given?",
        ),
        Mistake(
            "drops-whole-tokens",
            (("nn.Dropout(dropout)", "nn.Dropout1d(dropout)"),),
            "nn.Dropout1d drops all numbers of a token together. nn.Dropout drops each number by itself.",
            "Should one token lose everything and another nothing?",
        ),
        Mistake(
            "dropout-on-the-sum",
            (
                (_DROPPED, "return attended"),
                (_OUTER, "return self.linear2(inner)"),
                (_FIRST, _FIRST + "\n        x = self.dropout(x)"),
                (_SECOND, _SECOND.replace("return ", "return self.dropout(") + ")"),
            ),
            "The whole sum is dropped, x and all. Dropout belongs to what a sub-layer makes, before x is added to it: "
            "the direct path stays whole.",
            "Should a number of x that the sub-layer does not touch ever become 0?",
        ),
        Mistake(
            "drops-in-evaluation-too",
            (("self.dropout(", "F.dropout("), ("F.dropout(torch", "F.dropout(torch")),
            "F.dropout drops in evaluation too, unless it is told `training=self.training`, and with a rate of its own.",
            "How does a function know which mode the module is in?",
        ),
        Mistake(
            "dropped-before-the-norm-only",
            ((_DROPPED, "return self.dropout(self.dropout(attended))"),),
            "The attention's output is dropped twice.",
            "How many numbers are left of 100 when 30 % are dropped twice?",
        ),
        Mistake(
            "other-epsilon",
            (("nn.LayerNorm(d_model)", "nn.LayerNorm(d_model, eps=1e-12)"),),
            "The layer norms have an eps of 1e-12 (BERT's). torch's layer, and so this one, has 1e-5.",
            "Which eps has nn.LayerNorm when it is told none?",
        ),
        Mistake(
            "without-biases",
            (
                (
                    "nn.Linear(d_model, dim_feedforward)",
                    "nn.Linear(d_model, dim_feedforward, bias=False)",
                ),
                (
                    "nn.Linear(dim_feedforward, d_model)",
                    "nn.Linear(dim_feedforward, d_model, bias=False)",
                ),
            ),
            "linear1 and linear2 have no bias.",
            "What are linear1.bias and linear2.bias in torch's state dict?",
        ),
        Mistake(
            "one-head",
            ((_ATTENTION, _ATTENTION.replace("nhead", "1")),),
            "The attention has one head, whatever nhead says.",
            "Where does nhead enter?",
        ),
        Mistake(
            "cut-from-the-gradient",
            ((_FIRST, "x = residual(src.detach(), attend, self.norm1, self.norm_first)"),),
            "The output is cut off from src (`detach`, `no_grad`): nothing before this layer could learn.",
            "Which line leaves PyTorch's record of the computation?",
        ),
        Mistake(
            "frozen",
            (
                (
                    "self.norm_first = norm_first",
                    "self.norm_first = norm_first\n        self.requires_grad_(False)",
                ),
            ),
            "The parameters are not trained (`requires_grad` is False).",
            "Which parameters would an optimizer find?",
        ),
    ),
    hints=(
        "A layer is two residual connections, one after the other: the attention's, then the feed-forward network's. You "
        "have `residual` already; give it the right sub-layer and the right norm.",
        "src (B, S, D) -> attention (B, S, D) -> sum and norm (B, S, D) -> linear1 (B, S, F) -> linear2 (B, S, D) -> sum and "
        "norm. In __init__: self_attn, linear1, linear2, norm1, norm2 under just these names, a dropout, norm_first.",
        "attend(x): attention of x with x and x, masks handed on, no weights asked for; then dropout\n"
        "feed_forward(x): linear1, ReLU, dropout, linear2, dropout\n"
        "x <- residual(src, attend, norm1)\nreturn residual(x, feed_forward, norm2)",
        "attended, _ = self.self_attn(x, x, x, attn_mask=src_mask, key_padding_mask=src_key_padding_mask, need_weights=False)",
    ),
    axes=(("B", "S", "D"),),
)
