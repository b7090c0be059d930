"""Right answers to classification.expected_calibration_error in other styles."""

import math

import torch


def ece_sums(probabilities, labels, bins):
    confidence, predicted = probabilities.max(-1)
    place = (confidence * bins).ceil().long() - 1
    gaps = torch.zeros(bins, dtype=confidence.dtype, device=labels.device)
    gaps.index_add_(0, place, (predicted == labels).to(confidence) - confidence)
    return float(gaps.abs().sum() / len(labels))


def ece_borders(probabilities, labels, bins):
    borders = torch.linspace(0, 1, bins + 1, dtype=torch.float64)
    confidence = probabilities.max(dim=1).values
    right = (probabilities.argmax(dim=1) == labels).float()
    total = 0.0
    for low, high in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
        inside = (confidence > low) & (confidence <= high)
        share = inside.float().mean().item()
        if share > 0:
            total += share * abs(right[inside].mean().item() - confidence[inside].mean().item())
    return total


def ece_lists(probabilities, labels, bins):
    held = [[] for _ in range(bins)]
    for row, label in zip(probabilities.tolist(), labels.tolist(), strict=True):
        confidence = max(row)
        place = min(int(confidence * bins), bins - 1)
        held[place].append((row.index(confidence) == label, confidence))
    return sum(
        abs(sum(right for right, _ in one) - sum(sure for _, sure in one)) for one in held
    ) / len(labels)


def ece_bucketize(probabilities, labels, bins):
    confidence, predicted = torch.max(probabilities, 1)
    edges = torch.linspace(0, 1, bins + 1, device=labels.device)[1:-1].to(confidence)
    place = torch.bucketize(confidence, edges)
    error = 0
    for one in place.unique():
        at = place == one
        gap = (predicted[at] == labels[at]).double().mean() - confidence[at].mean()
        error = error + at.sum() * gap.abs()
    return (error / len(labels)).item()


def ece_groups(probabilities, labels, bins):
    groups = {}
    for confidence, right in zip(
        probabilities.amax(-1).tolist(), (probabilities.argmax(-1) == labels).tolist(), strict=True
    ):
        groups.setdefault(math.ceil(confidence * bins), []).append(right - confidence)
    return sum(abs(sum(gaps)) for gaps in groups.values()) / labels.numel()


RIGHT = (ece_sums, ece_borders, ece_lists, ece_bucketize, ece_groups)
