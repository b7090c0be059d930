"""Chapter 00: the questions on what an encoder is. What can be computed of the answers is tested."""

from __future__ import annotations

from course.quiz.question import Option, Question

QUESTIONS = (
    Question(
        "start_here.what-comes-out",
        "The text has 14 tokens, [CLS] and [SEP] counted. What comes out of the encoder?",
        (
            Option(
                "14 vectors of 384 numbers: one for each token.",
                "An encoder gives each token a new vector and keeps their number. That the search has one vector for "
                "a whole text is done afterwards, by taking the mean.",
                right=True,
            ),
            Option(
                "One vector of 384 numbers for the whole text.",
                "That is what the search uses, and it is made afterwards: the encoder itself gives a vector for "
                "each token.",
            ),
            Option(
                "A text: the answer to the question.",
                "An encoder doesn't write. What comes out are numbers, and the passage that is shown was there before.",
            ),
            Option(
                "14 numbers: how important each token is.",
                "Each token gets a vector, and not a number. Weights that say who looks at whom exist inside; "
                "chapter 02 shows them.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "start_here.not-a-writer",
        "You give the search a question whose answer stands nowhere in the documentation. What happens?",
        (
            Option(
                "It shows a passage all the same.",
                "Some row always has the largest cosine. That it is the largest doesn't make it large, and even a "
                "large one doesn't make it an answer.",
                right=True,
            ),
            Option(
                "It says that it doesn't know.",
                "It has no such output. One could refuse below a threshold, but that would be our rule, and not the "
                "encoder's knowledge.",
            ),
            Option(
                "It writes an answer from what it learned in training.",
                "It can't write at all. A decoder could, right or wrong.",
            ),
            Option(
                "It shows nothing, since all similarities are 0.",
                "Vectors of texts are hardly ever at exactly a right angle. Look at the similarities of the question "
                "about France.",
            ),
        ),
    ),
    Question(
        "start_here.bidirectional",
        "“The <i>bank</i> was steep and muddy.” In which of the two, an encoder or a decoder, can the vector of "
        "<i>bank</i> depend on <i>muddy</i>?",
        (
            Option(
                "In an encoder, because every token may look at every token.",
                "The words that come after are there to be looked at, and the encoder's square is full. In a decoder "
                "the vector of <i>bank</i> is made before <i>muddy</i> is seen.",
                right=True,
            ),
            Option(
                "In a decoder, because it has read the whole text by the end.",
                "Its last tokens have. The vector of <i>bank</i> may use only what stands before it, also when the "
                "text is there already.",
            ),
            Option(
                "In both.",
                "In a decoder the upper triangle is closed: <i>muddy</i> comes later, so <i>bank</i> may not look "
                "at it.",
            ),
            Option(
                "In neither: a token's vector comes from a table.",
                "The first one does. Each layer then mixes in the other tokens.",
            ),
        ),
    ),
    Question(
        "start_here.which-family",
        "Whisper listens to speech and writes down what was said. Which family fits the task, and is Whisper's?",
        (
            Option(
                "Encoder–decoder.",
                "The whole recording is there to be read, so an encoder reads it in both directions; the text is "
                "written token by token, with an eye on the encoder's vectors.",
                right=True,
            ),
            Option(
                "Encoder-only.",
                "An encoder gives one vector for each piece of sound. One can make letters of those (wav2vec 2.0 "
                "does, as chapter 09 will show), but Whisper writes text with a decoder.",
            ),
            Option(
                "Decoder-only.",
                "It could be built so, with the sound put before the text. Whisper is not: its input and its output "
                "are two sequences of different kinds, the case for which the two halves were made.",
            ),
        ),
    ),
    Question(
        "start_here.length",
        "Each row of the index has length 1, and so has the question's vector. What could "
        "<code>best_match</code> then be?",
        (
            Option(
                "<code>(passages @ question).argmax()</code> alone.",
                "With all lengths 1 the product is the cosine. That is why a search normalises its vectors once, when "
                "the index is made, and not at every question.",
                right=True,
            ),
            Option(
                "Nothing simpler: the cosine needs the division.",
                "By 1 and 1, here. Dividing by it changes nothing.",
            ),
            Option(
                "<code>passages.norm(dim=-1).argmax()</code>.",
                "All lengths are equal now, so they say nothing at all, and the question doesn't enter.",
            ),
            Option(
                "<code>(passages @ question).argmin()</code>.",
                "The smallest product belongs to the passage that points away from the question the most.",
            ),
        ),
    ),
)
