"""Right answers to translation.label_smoothed_loss in other styles than the model solution's."""

import torch
import torch.nn.functional as F


def label_smoothed_loss_library(logits, targets, smoothing, pad_id):
    """PyTorch's own: its smoothed target is spread over all V too, and ignore_index leaves both parts out."""
    return F.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=pad_id, label_smoothing=smoothing
    )


def label_smoothed_loss_transposed(logits, targets, smoothing, pad_id):
    each = F.cross_entropy(
        logits.transpose(1, 2), targets, label_smoothing=smoothing, reduction="none"
    )
    real = targets.ne(pad_id)
    return (each * real).sum() / real.sum()


def label_smoothed_loss_soft_targets(logits, targets, smoothing, pad_id):
    """The target as a distribution."""
    words = logits.shape[-1]
    wanted = F.one_hot(targets, words).to(logits.dtype) * (1 - smoothing) + smoothing / words
    each = -(wanted * F.log_softmax(logits, -1)).sum(-1)
    return each.masked_fill(targets == pad_id, 0.0).sum() / (targets != pad_id).sum()


def label_smoothed_loss_selected(logits, targets, smoothing, pad_id):
    real = targets != pad_id
    logits, targets = logits[real], targets[real]  # (N, V), (N,)
    total = torch.logsumexp(logits, dim=-1)
    nll = total - logits[torch.arange(len(targets), device=logits.device), targets]
    return torch.lerp(nll, total - logits.mean(-1), smoothing).mean()


def label_smoothed_loss_divergence(logits, targets, smoothing, pad_id):
    """By F.kl_div: the smoothed target's own entropy is added back."""
    words = logits.shape[-1]
    wanted = torch.full_like(logits, smoothing / words)
    wanted = wanted.scatter_add(
        -1, targets.unsqueeze(-1), torch.full_like(logits[..., :1], 1 - smoothing)
    )
    divergence = F.kl_div(logits.log_softmax(-1), wanted, reduction="none").sum(-1)
    each = divergence - torch.xlogy(wanted, wanted).sum(-1)
    return each[targets != pad_id].mean()


def label_smoothed_loss_loop(logits, targets, smoothing, pad_id):
    losses = []
    for sentence, wanted in zip(logits, targets, strict=True):
        for row, token in zip(sentence, wanted.tolist(), strict=True):
            if token != pad_id:
                log_p = row.log_softmax(0)
                losses.append(-(1 - smoothing) * log_p[token] - smoothing * log_p.mean())
    return sum(losses) / len(losses)


RIGHT = (
    label_smoothed_loss_library,
    label_smoothed_loss_soft_targets,
    label_smoothed_loss_selected,
    label_smoothed_loss_transposed,
    label_smoothed_loss_divergence,
    label_smoothed_loss_loop,
)
