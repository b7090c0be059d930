"""Right answers to classification.macro_f1 in other styles than the model solution's."""

from collections import Counter

import torch
import torch.nn.functional as F


def macro_f1_loop(predicted, actual, classes):
    total = 0.0
    for label in range(classes):
        right = int(((predicted == label) & (actual == label)).sum())
        either = int((predicted == label).sum()) + int((actual == label).sum())
        total += 2 * right / either if either else 0.0
    return total / classes


def macro_f1_precision_recall(predicted, actual, classes):
    scores = []
    for label in range(classes):
        tp = ((predicted == label) & (actual == label)).sum().item()
        fp = ((predicted == label) & (actual != label)).sum().item()
        fn = ((predicted != label) & (actual == label)).sum().item()
        precision = tp / (tp + fp) if tp + fp > 0 else 0.0
        recall = tp / (tp + fn) if tp + fn > 0 else 0.0
        both = precision + recall
        scores.append(2 * precision * recall / both if both > 0 else 0.0)
    return sum(scores) / len(scores)


def macro_f1_one_hot(predicted, actual, classes):
    p, a = F.one_hot(predicted, classes).double(), F.one_hot(actual, classes).double()
    f1 = 2 * (p * a).sum(0) / (p.sum(0) + a.sum(0))
    return float(f1.nan_to_num(0.0).mean())


def macro_f1_bincount(predicted, actual, classes):
    right = torch.bincount(actual[predicted == actual], minlength=classes)
    both = torch.bincount(torch.cat([predicted, actual]), minlength=classes)
    f1 = torch.where(both > 0, 2 * right / both, torch.zeros_like(right, dtype=torch.float32))
    return f1.mean().item()


def macro_f1_counter(predicted, actual, classes):
    given, there = Counter(predicted.tolist()), Counter(actual.tolist())
    right = Counter(p for p, a in zip(predicted.tolist(), actual.tolist(), strict=True) if p == a)
    return sum(2 * right[c] / max(given[c] + there[c], 1) for c in range(classes)) / classes


def macro_f1_epsilon(predicted, actual, classes):
    labels = torch.arange(classes, device=actual.device)[:, None]
    p, a = predicted == labels, actual == labels
    tp = (p & a).sum(1).double()
    return (2 * tp / (p.sum(1) + a.sum(1) + 1e-12)).mean().item()


RIGHT = (
    macro_f1_loop,
    macro_f1_precision_recall,
    macro_f1_one_hot,
    macro_f1_bincount,
    macro_f1_counter,
    macro_f1_epsilon,
)
