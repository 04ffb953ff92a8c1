"""Labels that come later, by the rules of DESIGN 3.2 with tolerance 0."""


def settle(rows, horizon, read=0, rejected=0):
    """What becomes of `rows`, an iterable of (offset, key, time, target), where target None means missing.

    A row without a target is filtered, as under `as: change`. Every other record labels the row of its key that is one
    horizon older; rows that it leaves behind unlabelled have expired. Returns the labelled rows as
    {offset: (own target, label, time of the label)} and the counts of all outcomes; `read` and `rejected` start at what
    is given for records that gave no row.
    """
    waiting, labelled = {}, {}
    counts = {"read": read, "trained": 0, "rejected": rejected, "filtered": 0, "unlabelled": 0, "pending": 0}
    for offset, key, time, target in rows:
        counts["read"] += 1
        if target is None:
            counts["filtered"] += 1
            continue
        pending = waiting.setdefault(key, {})
        row = pending.pop(time - horizon, None)
        if row is not None:
            labelled[row[0]] = (row[1], target, time)
        for earlier in [t for t in pending if t + horizon < time]:
            del pending[earlier]
            counts["unlabelled"] += 1
        pending[time] = (offset, target)
    counts["trained"] = len(labelled)
    counts["pending"] = sum(len(pending) for pending in waiting.values())
    return labelled, counts
