"""Right answers to generation.greedy_decode in other styles than the model solution's."""

import torch


def greedy_decode_for(next_logits, bos_id, eos_id, max_length):
    result = []
    for _ in range(max_length):
        token = next_logits([bos_id, *result]).argmax(dim=-1).item()
        if token == eos_id:
            return result
        result.append(token)
    return result


def greedy_decode_recursive(next_logits, bos_id, eos_id, max_length):
    def rest(ids):
        if len(ids) > max_length:
            return []
        token = int(torch.argmax(next_logits(ids)))
        return [] if token == eos_id else [token, *rest([*ids, token])]

    return rest([bos_id])


def greedy_decode_probabilities(next_logits, bos_id, eos_id, max_length):
    ids = [bos_id]
    for _ in range(max_length):
        probabilities = next_logits(ids).softmax(0)
        ids = [*ids, probabilities.topk(1).indices.item()]
        if ids[-1] == eos_id:
            ids.pop()
            break
    del ids[0]
    return ids


def greedy_decode_to_the_end(next_logits, bos_id, eos_id, max_length):
    """All max_length tokens, and then what stands before the first eos_id."""
    ids = [bos_id]
    for _ in range(max_length):
        logits = next_logits(ids).tolist()
        ids.append(max(range(len(logits)), key=logits.__getitem__))
    written = ids[1:]
    return written[: written.index(eos_id)] if eos_id in written else written


RIGHT = (
    greedy_decode_for,
    greedy_decode_recursive,
    greedy_decode_probabilities,
    greedy_decode_to_the_end,
)
