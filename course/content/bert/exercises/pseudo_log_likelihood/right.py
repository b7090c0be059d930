"""Right answers to bert.pseudo_log_likelihood in other styles than the model solution's."""

import torch
import torch.nn.functional as F


def pseudo_log_likelihood_loop(ids, special, mask_id, model):
    total = 0.0 * model(ids[None]).sum()
    for place in range(len(ids)):
        if special[place]:
            continue
        masked = ids.clone()
        masked[place] = mask_id
        total = total + model(masked[None])[0, place].log_softmax(0)[ids[place]]
    return total


def pseudo_log_likelihood_diagonal(ids, special, mask_id, model):
    """A copy for each place, the special ones too, and only those that count are summed."""
    eye = torch.eye(len(ids), dtype=torch.bool, device=ids.device)
    logits = model(ids.expand(len(ids), -1).masked_fill(eye, mask_id))
    own = logits.diagonal(dim1=0, dim2=1).T  # (S, V)
    each = -F.cross_entropy(own, ids, reduction="none")
    return torch.where(special, 0.0, each).sum()


def pseudo_log_likelihood_labels(ids, special, mask_id, model):
    """As a loss: the labels are -100 everywhere but at the masked place."""
    eye = torch.eye(len(ids), dtype=torch.bool, device=ids.device)[~special]
    rows = ids.repeat(len(eye), 1)
    labels = torch.where(eye, rows, -100)
    logits = model(torch.where(eye, mask_id, rows))
    return -F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum")


RIGHT = (
    pseudo_log_likelihood_loop,
    pseudo_log_likelihood_diagonal,
    pseudo_log_likelihood_labels,
)
