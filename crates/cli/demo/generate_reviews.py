"""Generates the demo's data set: a small set of made-up film reviews, labelled by construction.

No review was taken from anywhere. The same seed gives the same files:

    python3 generate_reviews.py scenarios/seed/datasets/stanfordnlp/imdb-tiny

What makes it more than a word count: negations ("not the triumph I was promised"), concessions
("the acting is superb, but ..."), faint praise, neutral sentences that say nothing, words that occur
in test rows only, and one label in twenty flipped.
"""

import csv
import random
import sys
from pathlib import Path

SEED = 20260613
TRAIN, TEST = 1000, 300
LABEL_NOISE = 0.05
NEGATED = 0.3

ASPECTS = (
    "the acting;the plot;the pacing;the script;the dialogue;the soundtrack;the camera work;the editing;"
    "the lead performance;the supporting cast;the ending;the opening act;the second half;the humour;"
    "the romance;the world building;the direction;the set design;the final twist;the central idea"
).split(";")

GOOD = (
    "superb;gripping;moving;sharp;memorable;clever;warm;beautiful;flawless;inspired;delightful;honest;"
    "tense;elegant;fresh;touching;brilliant;assured;rich;captivating"
).split(";")
BAD = (
    "dull;clumsy;predictable;shallow;tedious;lifeless;messy;forced;flat;irritating;bland;stale;"
    "sluggish;laughable;hollow;awkward;dreadful;tiresome;confused;unconvincing"
).split(";")
# Few occurrences, mostly unseen in training: nobody can learn them from 1,000 rows.
RARE_GOOD = "luminous;sublime;spellbinding;wry;tender;virtuosic;incandescent;lyrical".split(";")
RARE_BAD = "turgid;insipid;ponderous;garbled;leaden;mawkish;soulless;grating".split(";")

GOOD_SENTENCES = (
    "I would happily watch it again tomorrow;It stayed with me for days;I laughed, I cried, I called my sister about it;"
    "Easily one of the best films I have seen this year;Give it two hours and it will reward you;"
    "My whole family loved every minute;It earns its applause;I left the cinema smiling;"
    "Rarely has a small film won me over so quickly;A joy from the first frame to the last"
).split(";")
BAD_SENTENCES = (
    "I checked my watch four times;I want those two hours back;We left before the credits;"
    "Easily one of the worst films I have seen this year;Save your money and stay at home;"
    "Even my patient father fell asleep;It falls apart after twenty minutes;I left the cinema annoyed;"
    "Rarely has a big budget bought so little;A chore from the first frame to the last"
).split(";")
NEUTRAL = (
    "I saw it on a rainy Tuesday with two friends;It runs for a little under two hours;"
    "The story is set in a harbour town in the seventies;I had not read the book before;"
    "The director made a war film before this one;Most of it was shot on location;"
    "There were perhaps ten people in the room;It is the third film in the series;"
    "The trailer shows scenes that are not in the film;My brother recommended it;"
    "It was nominated for two prizes;The cast is mostly unknown;I watched it with subtitles;"
    "The plot follows a retired detective and her son;It opened in May in a handful of cinemas"
).split(";")

FLAVOUR = (
    "the scene at the station;the long dinner;the chase along the canal;the letter;the wedding;the court room;"
    "the night in the hospital;the phone call;the dance;the argument in the kitchen;the train ride;the funeral"
).split(";")


class Reviews:
    def __init__(self, rng):
        self.rng = rng

    def word(self, good, rare):
        common, unseen = (GOOD, RARE_GOOD) if good else (BAD, RARE_BAD)
        return self.rng.choice(unseen if self.rng.random() < rare else common)

    def opinion(self, good, rare):
        """One sentence that says what the reviewer thinks of one thing."""
        pick = self.rng.choice
        aspect, scene = pick(ASPECTS), pick(FLAVOUR)
        plain = self.word(good, rare)
        opposite = self.word(not good, rare)
        much = pick(["really", "truly", "thoroughly", "simply", "often", "surprisingly"])
        if self.rng.random() < NEGATED:  # the opposite word, turned round
            return pick(
                [
                    f"{aspect} is not {opposite} at all",
                    f"{aspect} is never {opposite}, not even in {scene}",
                    f"nobody could call {aspect} {opposite}",
                    f"{aspect} is far from {opposite}",
                ]
            )
        return pick(
            [
                f"{aspect} is {plain}",
                f"{aspect} is {much} {plain}, above all in {scene}",
                f"I found {aspect} {plain} and {self.word(good, rare)}",
                f"{aspect} in {scene} is {plain}",
            ]
        )

    def concession(self, good, rare):
        """Both sides; the part after the turn decides."""
        other = self.opinion(not good, rare)
        mine = self.opinion(good, rare)
        return self.rng.choice(
            [
                f"{other}, but {mine}",
                f"although {other}, {mine}",
                f"yes, {other}; still, {mine}",
            ]
        )

    def verdict(self, good):
        rng = self.rng
        if rng.random() < 0.5:
            return rng.choice(GOOD_SENTENCES if good else BAD_SENTENCES)
        if good:
            return rng.choice(
                [
                    "Do not let the poster put you off: it is worth the ticket",
                    "I expected little and was not disappointed",
                    "I cannot find much to complain about",
                    "Recommended, without hesitation",
                ]
            )
        return rng.choice(
            [
                "Do not let the poster fool you: it is not worth the ticket",
                "I expected a lot and was not rewarded",
                "I cannot find much to praise",
                "Not recommended, not even on a long flight",
            ]
        )

    def review(self, good, rare):
        rng = self.rng
        # How clear the reviewer is: some say little that counts, and a part of it points the other way.
        strength = rng.choice([2, 3, 3, 4])
        sentences = [self.opinion(good, rare) for _ in range(strength)]
        for _ in range(rng.choice([0, 0, 1, 1])):
            sentences.append(self.concession(good, rare))
        if rng.random() < 0.25:
            sentences.append(self.opinion(not good, rare))
        sentences += rng.sample(NEUTRAL, rng.randint(3, 6))
        rng.shuffle(sentences)
        if rng.random() < 0.4:
            sentences.append(self.verdict(good))
        return " ".join(s[0].upper() + s[1:] + "." for s in sentences)


def rows(rng, count, rare):
    reviews = Reviews(rng)
    for number in range(count):
        good = number % 2 == 0
        text = reviews.review(good, rare)
        label = int(good)
        if rng.random() < LABEL_NOISE:
            label = 1 - label
        yield text, label


def write(path, data, rng):
    data = list(data)
    rng.shuffle(data)
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["text", "label"])
        out.writerows(data)


def main(folder):
    rng = random.Random(SEED)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "train.csv", rows(rng, TRAIN, rare=0.04), rng)
    write(folder / "test.csv", rows(rng, TEST, rare=0.12), rng)


if __name__ == "__main__":
    main(sys.argv[1])
