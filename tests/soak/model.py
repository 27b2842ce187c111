"""What a mailbox must hold, as the client that wrote it knows.

A worker owns the messages whose keys begin with its name, and nobody else touches those; so its own journal decides what
must be there, while the server sees many workers in the same folders. An operation is a list of effects, each of which
happens wholly or not at all (a message for three recipients is three effects: RFC 5321 has no transaction across mailboxes).
An effect that was acknowledged is part of the model. One that was not may have happened or not: after the crash exactly one
choice of "happened" and "did not" must explain everything that is there.
"""

import collections
import dataclasses
import itertools

Place = collections.namedtuple("Place", "user folder uid")
# A copy whose UID nobody told us: a delivery, or an operation whose answer was lost.
Loose = collections.namedtuple("Loose", "user folder key flags")


@dataclasses.dataclass
class Effect:
    what: str
    removes: list = dataclasses.field(default_factory=list)  # places
    adds: list = dataclasses.field(default_factory=list)  # (user, folder, uid or None, key, flags)
    flags: dict = dataclasses.field(default_factory=dict)  # place -> flags

    def to_json(self):
        return {
            "what": self.what,
            "removes": [list(place) for place in self.removes],
            "adds": [[user, folder, uid, key, sorted(flags)] for user, folder, uid, key, flags in self.adds],
            "flags": [[*place, sorted(flags)] for place, flags in self.flags.items()],
        }


class Holdings:
    """The copies of one worker's messages."""

    def __init__(self, placed=None, loose=None):
        self.placed = dict(placed or {})  # place -> (key, flags)
        self.loose = collections.Counter(loose or {})

    def copy(self):
        return Holdings(self.placed, self.loose)

    def apply(self, effect):
        for place in effect.removes:
            del self.placed[place]
        for place, flags in effect.flags.items():
            self.placed[place] = (self.placed[place][0], frozenset(flags))
        for user, folder, uid, key, flags in effect.adds:
            if uid is None:
                self.loose[Loose(user, folder, key, frozenset(flags))] += 1
            else:
                self.placed[Place(user, folder, uid)] = (key, frozenset(flags))

    def difference(self, actual):
        """Lines that tell how `actual` (place -> (key, flags)) is not this; none when it is."""
        lines = []
        for place, held in self.placed.items():
            if place not in actual:
                lines.append(f"missing: {place} {held[0]} {sorted(held[1])}")
            elif actual[place] != held:
                lines.append(f"different: {place} is {told(actual[place])}, must be {told(held)}")
        extra = collections.Counter()
        for place, (key, flags) in actual.items():
            if place not in self.placed:
                extra[Loose(place.user, place.folder, key, flags)] += 1
        for loose, count in (self.loose - extra).items():
            lines.append(f"missing ({count} of {self.loose[loose]}): {told_loose(loose)}")
        for loose, count in (extra - self.loose).items():
            lines.append(f"there {count} times too often: {told_loose(loose)}")
        return lines


def told(held):
    return f"{held[0]} {sorted(held[1])}"


def told_loose(loose):
    return f"{loose.user} {loose.folder} {loose.key} {sorted(loose.flags)}"


def explain(holdings, pending, actual):
    """The choice of effects that explains what is there: (chosen, None), or (None, the nearest difference)."""
    nearest = None
    for count in range(len(pending) + 1):
        for chosen in itertools.combinations(pending, count):
            candidate = holdings.copy()
            for effect in chosen:
                candidate.apply(effect)
            lines = candidate.difference(actual)
            if not lines:
                return list(chosen), None
            if nearest is None or len(lines) < len(nearest):
                nearest = lines
    return None, nearest
