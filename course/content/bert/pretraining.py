"""The training of chapter 05: a small BERT learns the masked words of Python's documentation."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from course.content.bert.experiments import baselines, model, text
from course.content.bert.experiments import training as recipe
from course.datasets.python_docs import corpus, neighbours
from course.training import Answer, HeadPicture, Settings, Training
from course.training.parts import key_of, whose_parts
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.inspect.recording import record
from encoder_core.models.text_encoder import TextEncoder
from encoder_core.multihead import MultiheadAttention

__all__ = ["BLANKS", "masked_words", "plain_baselines", "with_standard_layers"]

# Held-out sentences with a blank each; the word that stood there follows.
BLANKS = (
    ("Return a [MASK] of tuples.", "list"),
    ("If the file does not exist, an exception is [MASK].", "raised"),
    ("The method returns the [MASK] of bytes written.", "number"),
    ("Raise an error if the value [MASK] negative.", "is"),
    ("This function takes two [MASK].", "arguments"),
)
SHOWN = 5  # guesses of each


def masked_words(
    layer: Callable[..., nn.Module] | None = None,
    mask_tokens: Callable[..., tuple[Tensor, Tensor]] | None = None,
    masked_lm_loss: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> Training:
    """Describe the training.

    Args:
        layer: a class of encoder layers, such as the learner's; `encoder_core`'s if None.
        mask_tokens: hides pieces; if None, every chosen piece becomes `[MASK]`.
        masked_lm_loss: the loss of logits and labels; torch's cross entropy if None.
    """
    own = {"EncoderLayer": layer, "mask_tokens": mask_tokens, "masked_lm_loss": masked_lm_loss}
    settings = Settings(
        **recipe.SETTINGS,
        d_model=64,
        nhead=4,
        num_layers=2,
        dim_feedforward=64,
        dropout=0.0,
        positions=_fitting_positions(layer),
        more={"near": True, "first_vectors": True},
    )
    return Training(
        name="bert.masked_words",
        title="A small BERT learns the masked words of Python's documentation",
        settings=settings,
        build=functools.partial(_build, layer),
        data=list(text.rows().unbind()),
        collate=text.hide(recipe.MASKING, mask_tokens),
        loss=recipe.loss
        if masked_lm_loss is None
        else functools.partial(_own_loss, masked_lm_loss),
        evaluate=recipe.evaluate,
        figure="accuracy",
        baselines={name: found["accuracy"] for name, found in plain_baselines().items()},
        test=functools.partial(recipe.evaluate, split="test"),
        examples=fill_blanks,
        head=look_at_a_sentence,
        parts=whose_parts(own),
        key=key_of(
            (baselines, model, neighbours, text, recipe),
            own.values(),
            text.rows().numpy().tobytes(),
        ),
    )


def _fitting_positions(layer: Callable[..., nn.Module] | None) -> str:
    """A trainable bias of the scores, where a layer takes a mask of numbers; else sines."""
    if layer is None:
        return "relative"
    try:
        TextEncoder(8, 8, 2, 1, 8, positions="relative", layer=layer)
    except ValueError:
        return "sinusoidal"
    return "relative"


def _build(layer: Callable[..., nn.Module] | None, settings: Settings) -> nn.Module:
    return _built(settings, **({} if layer is None else {"layer": layer}))


def _built(settings: Settings, **more: Any) -> nn.Module:
    near = settings.positions == "relative" and settings.more["near"]
    return model.build(
        text.rows(),
        len(corpus.tokenizer().vocabulary),
        d_model=settings.d_model,
        nhead=settings.nhead,
        num_layers=settings.num_layers,
        dim_feedforward=settings.dim_feedforward,
        dropout=settings.dropout,
        positions="neighbours" if near else settings.positions,
        vectors=settings.more["first_vectors"],
        seed=settings.seed,
        **more,
    )


def _own_loss(
    masked_lm_loss: Callable[[Tensor, Tensor], Tensor], net: nn.Module, batch: text.Rows
) -> Tensor:
    """The loss by a function of logits `(B, S, V)` and labels: all at the places that count."""
    where = batch.labels != text.HIDDEN  # (B, S)
    logits = net(batch.inputs, where=where)  # (M, V)
    return masked_lm_loss(logits.unsqueeze(0), batch.labels[where].unsqueeze(0))


@functools.cache
def plain_baselines() -> dict[str, dict[str, float]]:
    """Return what needs no network, scored on validation: accuracy, top5 and perplexity of each."""
    rows, asked = text.rows(), text.questions("validation")
    size = len(corpus.tokenizer().vocabulary)
    answers = asked.answers[asked.where]
    frequent = baselines.unigram(rows, size).expand(len(answers), -1)
    neighbours = baselines.Neighbours(rows, size)(asked.inputs, asked.where)
    return {
        "the most frequent piece": baselines.score(frequent, answers),
        "counts of two neighbours": baselines.score(neighbours, answers),
    }


@torch.no_grad()
def fill_blanks(net: nn.Module) -> Sequence[Answer]:
    """Answer `BLANKS`."""
    words = corpus.tokenizer()
    mask = words.vocabulary["[MASK]"]
    found = []
    for sentence, right in BLANKS:
        ids = torch.tensor([words.encode(sentence).ids])  # (1, S)
        guesses, chances = recipe.answers(net, ids, ids == mask, SHOWN)  # (1, 5) each
        pairs = zip(guesses[0].tolist(), chances[0].tolist(), strict=True)
        found.append(Answer(sentence, tuple((words.tokens[i], p) for i, p in pairs), right))
    return found


def with_standard_layers(net: nn.Module) -> nn.Module:
    """Return the same model with `encoder_core`'s layers, whose heads can be recorded and cut out.

    A layer that passed chapter 04 has the state dict of torch's and computes the same.
    """
    if any(isinstance(module, MultiheadAttention) for module in net.modules()):
        return net
    twin = copy.deepcopy(net)
    encoder: Any = twin.encoder.encoder  # type: ignore[union-attr]
    d_model = encoder.norm.normalized_shape[0]
    biases = getattr(encoder, "position_biases", None)
    for i, layer in enumerate(encoder.layers):
        heads = biases[i].table.shape[0] if biases is not None else 4
        standard = TransformerEncoderLayer(
            d_model, heads, layer.linear1.out_features, 0.0, norm_first=True
        )
        standard.load_state_dict(layer.state_dict())
        standard.self_attn.position_bias = None if biases is None else biases[i]
        encoder.layers[i] = standard
    if biases is not None:
        encoder.position_biases = None
    return twin.eval()


@torch.no_grad()
def look_at_a_sentence(net: nn.Module) -> HeadPicture:
    """Record the attention at the first of `BLANKS`."""
    net = with_standard_layers(net)
    encoding = corpus.tokenizer().encode(BLANKS[0][0])
    with record(net) as recording:
        net(torch.tensor([encoding.ids]))
    weights = torch.stack([each[0] for each in recording.attention])  # (layers, H, S, S)
    return HeadPicture(tuple(encoding.tokens), weights)
