"""Right answers to bert.mask_tokens in other styles than the model solution's."""

import torch


def mask_tokens_bernoulli(ids, special, mask_id, vocab_size, probability=0.15, generator=None):
    """As Hugging Face's data collator does it."""
    inputs, labels = ids.clone(), ids.clone()
    chance = torch.full(ids.shape, probability, device=ids.device)
    chance.masked_fill_(special, 0.0)
    chosen = torch.bernoulli(chance, generator=generator).bool()
    labels[~chosen] = -100
    eighty = torch.full(ids.shape, 0.8, device=ids.device)
    masked = torch.bernoulli(eighty, generator=generator).bool() & chosen
    inputs[masked] = mask_id
    half = torch.full(ids.shape, 0.5, device=ids.device)
    replaced = torch.bernoulli(half, generator=generator).bool() & chosen & ~masked
    words = torch.randint(
        vocab_size, ids.shape, dtype=ids.dtype, device=ids.device, generator=generator
    )
    inputs[replaced] = words[replaced]
    return inputs, labels


def mask_tokens_one_draw(ids, special, mask_id, vocab_size, probability=0.15, generator=None):
    """One draw, cut into four."""
    u = torch.rand(ids.shape, generator=generator, device=ids.device)
    u = u.masked_fill(special, 2.0)
    r = torch.randint(0, vocab_size, ids.shape, generator=generator, device=ids.device).to(ids)
    inputs = torch.where(u < 0.8 * probability, torch.full_like(ids, mask_id), ids)
    middle = (u >= 0.8 * probability) & (u < 0.9 * probability)
    inputs = torch.where(middle, r, inputs)
    return inputs, torch.where(u < probability, ids, torch.full_like(ids, -100))


def mask_tokens_indices(ids, special, mask_id, vocab_size, probability=0.15, generator=None):
    """Only for the chosen places something is drawn."""
    device = ids.device
    u = torch.empty(ids.shape, device=device).uniform_(generator=generator)
    where = ((u < probability) & ~special).nonzero(as_tuple=True)
    labels = torch.full_like(ids, -100)
    labels[where] = ids[where]
    inputs = ids.clone()
    n = len(where[0])
    kind = torch.rand(n, generator=generator, device=device)
    words = torch.randint(0, vocab_size, (n,), generator=generator, device=device, dtype=ids.dtype)
    old = ids[where]
    new = torch.where(kind < 0.8, torch.full_like(old, mask_id), old)
    new = torch.where(kind > 0.9, words, new)
    inputs[where] = new
    return inputs, labels


def mask_tokens_loop(ids, special, mask_id, vocab_size, probability=0.15, generator=None):
    """Sentence by sentence."""
    rows = []
    for sentence, blocked in zip(ids, special, strict=True):
        draws = torch.rand(3, len(sentence), generator=generator, device=ids.device)
        chosen = (draws[0] < probability) * ~blocked
        word = (draws[2] * vocab_size).long().clamp(max=vocab_size - 1).to(ids.dtype)
        seen = sentence.clone()
        seen[chosen & (draws[1] < 0.8)] = mask_id
        other = chosen & (draws[1] >= 0.9)
        seen[other] = word[other]
        rows.append((seen, sentence.masked_fill(~chosen, -100)))
    inputs, labels = zip(*rows, strict=True)
    return torch.stack(inputs), torch.stack(labels)


RIGHT = (
    mask_tokens_bernoulli,
    mask_tokens_one_draw,
    mask_tokens_indices,
    mask_tokens_loop,
)
