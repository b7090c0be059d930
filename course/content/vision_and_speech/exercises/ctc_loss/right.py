"""Right answers to speech.ctc_loss in other styles than the model solution's."""

import functools
import itertools
import math

import torch
import torch.nn.functional as F


def ctc_loss_library(log_probs, target, blank):
    """PyTorch's own, with a batch of one."""
    targets = torch.tensor([target], dtype=torch.long)
    frames, letters = torch.tensor([len(log_probs)]), torch.tensor([len(target)])
    each = F.ctc_loss(log_probs[:, None], targets, frames, letters, blank, reduction="none")
    return each[0]


def ctc_loss_vectorised(log_probs, target, blank):
    """All states at once; -1e30 stands in for log 0, so that no gradient is NaN."""
    device = log_probs.device
    states = torch.full((2 * len(target) + 1,), blank, device=device)
    states[1::2] = torch.tensor(target, dtype=torch.long, device=device)
    skips = (states != blank) & (states != states.roll(2))
    low = log_probs.new_tensor(-1e30)
    emitted = log_probs[:, states]  # (N, S)
    alpha = torch.where(torch.arange(len(states), device=device) < 2, emitted[0], low)
    for row in emitted[1:]:
        one = F.pad(alpha, (1, 0), value=-1e30)[:-1]
        two = torch.where(skips, F.pad(alpha, (2, 0), value=-1e30)[: len(states)], low)
        alpha = torch.stack([alpha, one, two]).logsumexp(0) + row
    log_p = alpha[-2:].logsumexp(0)
    return torch.where(log_p < -1e29, torch.full_like(log_p, math.inf), -log_p)


def ctc_loss_memo(log_probs, target, blank):
    """From the end, by recursion: what is still to be read, and what the last frame was."""

    @functools.cache
    def log_p(n, read, last):
        """The log of p that frames n and after spell target[read:], after a frame of `last`."""
        if n == len(log_probs):
            return log_probs.new_zeros(()) if read == len(target) else None
        ways = [(blank, log_p(n + 1, read, blank))]
        if last != blank:
            ways.append((last, log_p(n + 1, read, last)))
        if read < len(target) and target[read] != last:
            ways.append((target[read], log_p(n + 1, read + 1, target[read])))
        sums = [log_probs[n, id] + rest for id, rest in ways if rest is not None]
        return torch.logsumexp(torch.stack(sums), 0) if sums else None

    found = log_p(0, 0, blank)
    return log_probs.new_tensor(math.inf) if found is None else -found


def ctc_loss_every_path(log_probs, target, blank):
    """All paths, one by one: whatever is in neither target nor blank is left out."""
    letters = sorted({*target, blank})
    total = []
    frames = len(log_probs)

    def walk(n, path):
        if n == frames:
            if [id for id, _ in itertools.groupby(path) if id != blank] == target:
                total.append(sum(log_probs[i, id] for i, id in enumerate(path)))
            return
        spelt = [id for id, _ in itertools.groupby(path) if id != blank]
        if spelt == target[: len(spelt)] and len(target) - len(spelt) <= frames - n:
            for id in letters:
                walk(n + 1, [*path, id])

    walk(0, [])
    return -torch.logsumexp(torch.stack(total), 0) if total else log_probs.new_tensor(math.inf)


def ctc_loss_two_tables(log_probs, target, blank):
    """Per number of letters read: paths whose last frame is a blank, and paths whose last is a letter."""
    low = log_probs.new_full((), -1e25)
    blanks, letters = [low + 1e25] + [low] * len(target), [low] * (len(target) + 1)
    for row in log_probs:
        new_blanks, new_letters = [], [low]
        for k in range(len(target) + 1):
            new_blanks.append(torch.logaddexp(blanks[k], letters[k]) + row[blank])
            if k:
                into = torch.logaddexp(letters[k], blanks[k - 1])
                if k > 1 and target[k - 1] != target[k - 2]:
                    into = torch.logaddexp(into, letters[k - 1])
                new_letters.append(into + row[target[k - 1]])
        blanks, letters = new_blanks, new_letters
    loss = -torch.logaddexp(blanks[-1], letters[-1])
    return loss if loss < 1e24 else loss + math.inf


def ctc_loss_matrix(log_probs, target, blank):
    """The allowed steps as a matrix of log 1 and (nearly) log 0."""
    states = [blank] + [id for letter in target for id in (letter, blank)]
    size = len(states)
    move = torch.zeros(size, size, dtype=log_probs.dtype, device=log_probs.device)
    for s in range(size):
        for way in range(max(0, s - 2), s + 1):
            if way > s - 2 or (states[s] != blank and states[s] != states[s - 2]):
                move[way, s] = 1
    tables = torch.log(move).clamp(min=-1e28)  # (S, S): 0 where one may go
    start = torch.arange(size, device=log_probs.device) < 2
    alpha = log_probs[0, states].masked_fill(~start, -1e28)
    for row in log_probs[1:]:
        alpha = (alpha[:, None] + tables).logsumexp(0) + row[states]
    loss = -alpha[-2:].logsumexp(0)
    return loss.masked_fill(loss > 1e27, math.inf)


def ctc_loss_backwards(log_probs, target, blank):
    """The same from the last frame to the first."""
    states = [blank]
    for letter in target:
        states.extend([letter, blank])
    last = len(states) - 1
    beta = {s: log_probs[-1, states[s]] for s in (last, last - 1) if s >= 0}
    for n in range(len(log_probs) - 2, -1, -1):
        new = {}
        for s, letter in enumerate(states):
            ahead = [s, s + 1]
            if letter != blank and s + 2 <= last and states[s + 2] != letter:
                ahead.append(s + 2)
            ways = [beta[t] for t in ahead if t in beta]
            if ways:
                new[s] = log_probs[n, letter] + torch.logsumexp(torch.stack(ways), dim=0)
        beta = new
    starts = [beta[s] for s in (0, 1) if s in beta]
    if not starts:
        return torch.tensor(float("inf"), dtype=log_probs.dtype, device=log_probs.device)
    return torch.logsumexp(torch.stack(starts), dim=0).neg()


RIGHT = (
    ctc_loss_library,
    ctc_loss_vectorised,
    ctc_loss_memo,
    ctc_loss_two_tables,
    ctc_loss_matrix,
    ctc_loss_backwards,
    ctc_loss_every_path,
)
