"""Right answers to bert.sentence_pair in other styles than the model solution's."""


def sentence_pair_lengths(first, second, cls_id, sep_id, max_length):
    a, b = len(first), len(second)
    for _ in range(max(a + b + 3 - max_length, 0)):
        if a > b:
            a -= 1
        else:
            b -= 1
    ids = [cls_id, *first[:a], sep_id, *second[:b], sep_id]
    return ids, [0] * (a + 2) + [1] * (b + 1)


def sentence_pair_recursive(first, second, cls_id, sep_id, max_length):
    if len(first) + len(second) + 3 > max_length:
        if len(second) >= len(first):
            second = second[:-1]
        else:
            first = first[:-1]
        return sentence_pair_recursive(first, second, cls_id, sep_id, max_length)
    one, two = [cls_id, *first, sep_id], [*second, sep_id]
    return one + two, [0 for _ in one] + [1 for _ in two]


def sentence_pair_closed(first, second, cls_id, sep_id, max_length):
    """Without a loop: the shorter one keeps what it has, up to half of the room."""
    room = max_length - 3
    if len(first) + len(second) > room:
        if len(first) <= room // 2:
            second = second[: room - len(first)]
        elif len(second) <= room // 2:
            first = first[: room - len(second)]
        else:
            first, second = first[: room - room // 2], second[: room // 2]
    ids, types = [], []
    for kind, part in enumerate(([cls_id, *first], second)):
        ids += [*part, sep_id]
        types += [kind] * (len(part) + 1)
    return ids, types


RIGHT = (sentence_pair_lengths, sentence_pair_recursive, sentence_pair_closed)
