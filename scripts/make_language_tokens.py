r"""Make `stages/languages/data/tokens.npz`: which tokens, keywords and comment marks each language has.

    pip download --no-deps --no-binary=enry-python --ignore-requires-python enry-python==0.3.0
    pip download --no-deps pygments==2.21.0
    python -m scripts.make_language_tokens enry_python-0.3.0.tar.gz pygments-2.21.0-py3-none-any.whl \
        stages/languages/data

From the sdist of enry-python (Apache-2.0): go-enry's `frequencies.go`, the token counts of Linguist's samples
(MIT) by language, and `alias.go`. From the wheel of Pygments (BSD-2-Clause): the words of each lexer's keyword
and built-in rules, and the comment marks that its lexer accepts. The wheel's own code runs here, nowhere else.

The counts of a language are scaled down to COUNT_CAP where its samples hold more; each keyword adds KEYWORD,
each built-in BUILTIN. With c the count of a token in a language, N the language's sum, b the token's share of
all counts, the weight of a token is idf · log(1 + c / (SMOOTHING · b)), idf = (log(L / df) / log L)^RARITY,
and the penalty of a language log(1 + N / SMOOTHING) for each idf of tokens seen: Dirichlet smoothing
(Zhai & Lafferty 2001), in which a language without samples is neither favoured nor ruled out. Equal input gives
equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import sys
import tarfile
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from scripts.make_guesslang_weights import stored
from scripts.make_linguist_table import SDIST_SHA256, STRING, entries, member
from stages.languages import guesslang
from stages.languages.tokens import MARKS, hashes, token_hash
from stages.languages.vocabulary import table

WHEEL_SHA256 = "2363c69b61c4a97c838da3b130dcd6468f4848992b21a82f2a63ec34377137d9"

# Fitted on half of a labelled set of files, checked on its other half (docs/benchmarks.md, "Languages").
COUNT_CAP, KEYWORD, BUILTIN, SMOOTHING, RARITY = 3_000, 3.0, 0.5, 3_000, 0.25
LEXED, PROGRAMMING, GUESSED = (
    1.0,
    4.0,
    -4.0,
)  # priors: Pygments knows it, it is a programming language, guesslang tells it
MARK = 2.0  # for and against, by the comment marks that a language has and has not
LEAST_WORDS = 8  # a language without samples needs so many keywords

# A comment of each kind, as a lexer is shown it.
COMMENTS = (
    *("// zq zq", "# zq zq", "-- zq zq", "% zq zq", "; zq zq", "' zq zq", "/* zq zq */", "(* zq zq *)"),
    *("{- zq zq -}", "<!-- zq -->", "REM zq zq", "! zq zq", '" zq zq'),
)
PREPROCESSED = ("C", "C++", "Objective-C", "Objective-C++", "C#", "Cuda")  # lexers call `#` lines comments there

Counts = dict[str, dict[int, float]]


def sampled(source: str) -> Counts:
    """Token hash → count, by language, from frequencies.go (log shares; the rarest token occurs once)."""
    found: Counts = {}
    for block in re.split(r"\n\t(?=\")", source[source.index("TokensLogProbabilities") :])[1:]:
        head = re.match(STRING, block)
        pairs = re.findall(rf"\n\t\t{STRING}:\s+(-?[\d.]+)", block)
        if head is None or not pairs:
            continue
        total = round(1 / math.exp(min(float(share) for _, share in pairs)))
        scale = min(1.0, COUNT_CAP / total)
        counts = found.setdefault(head[1], {})
        for token, share in pairs:
            key = token_hash(_unquoted(token))
            counts[key] = counts.get(key, 0.0) + scale * max(1, round(math.exp(float(share)) * total))
    return found


def _unquoted(token: str) -> bytes:
    """The bytes of a Go string literal without its quotes."""
    plain = re.sub(r"\\x([0-9a-f]{2})", r"\\u00\1", token).replace("\\'", "'")
    plain = plain.replace("\\a", "\\u0007").replace("\\v", "\\u000b")
    return json.loads(f'"{plain}"').encode("utf-8", "surrogatepass")  # type: ignore[no-any-return]


def _words(rule: Any) -> set[str]:
    """The words that a lexer's rule spells out: its list, or the literal alternatives of its pattern."""
    if not isinstance(rule, str):
        return set(rule.words)
    text = re.sub(r"\[[^\]]*\]", "\0", rule)
    text = re.sub(r"\(\?[a-zA-Z:!=<]+", " ( ", text)
    text = re.sub(r"\\[bBsSwWdDAZn]\+?\*?", " ", text)
    found = set()
    for match in re.finditer(r"[@#.]?[A-Za-z_][A-Za-z_]*[A-Za-z_]", text):
        before, after = text[: match.start()][-1:], text[match.end() :][:1]
        if before not in ("\0", "\\") and (not after or after not in "\0*+?{"):
            found.add(match[0])
    return found


def _kinds(action: Any) -> list[Any]:
    """The token types that a rule's action yields."""
    cells = getattr(action, "__closure__", None) or ()
    inner = [kind for cell in cells if isinstance(cell.cell_contents, tuple) for kind in cell.cell_contents]
    return [kind for kind in (action, *inner) if type(kind).__name__ == "_TokenType"]


def keywords(lexer: Any) -> tuple[set[str], set[str]]:
    """The keywords and the built-in names of one RegexLexer; in three cases where it ignores case."""
    from pygments import token

    strong, weak = set(), set()
    for rules in lexer.get_tokendefs().values():
        for rule in rules:
            if not isinstance(rule, tuple):
                continue
            kinds = _kinds(rule[1] if len(rule) > 1 else None)
            if any(k in token.Keyword or k in token.Operator.Word or k in token.Comment.Preproc for k in kinds):
                strong |= _words(rule[0])
            elif any(k in token.Name.Builtin or k in token.Name.Function or k in token.Name.Tag for k in kinds) or any(
                k in token.Name.Attribute for k in kinds
            ):
                weak |= _words(rule[0])
    if lexer.flags & re.IGNORECASE:
        strong, weak = ({form for w in s for form in (w, w.upper(), w.capitalize())} for s in (strong, weak))
    return strong, weak - strong


def comments(lexer: Any) -> set[int]:
    """The positions in MARKS of the comments that `lexer` takes for comments."""
    from pygments import token

    found = set()
    for position, text in enumerate(COMMENTS):
        pieces = [kind for kind, piece in lexer().get_tokens(f"\n{text}\n") if piece.strip()]
        if pieces and all(kind in token.Comment or kind in token.String.Doc for kind in pieces):
            found.add(position)
    return found


def lexed(aliases: dict[str, str]) -> tuple[Counts, dict[str, set[int]]]:
    """Keyword counts and comment marks by Linguist name, of every lexer that Linguist has a name for."""
    from pygments.lexer import RegexLexer
    from pygments.lexers import find_lexer_class, get_all_lexers

    known = []
    for name, short, _, _ in sorted(get_all_lexers(plugins=False)):
        keys = [alias.lower().replace(" ", "_") for alias in (name, *short)]
        language = next((aliases[key] for key in keys if key in aliases), None)
        lexer = find_lexer_class(name)
        if language in table() and lexer is not None:
            known.append((str(language), lexer))
    words: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for language, lexer in known:
        if issubclass(lexer, RegexLexer) and all(isinstance(rules, list) for rules in lexer.tokens.values()):
            for kept, new in zip(words[language], keywords(lexer), strict=True):
                kept.update(new)
    marks: dict[str, set[int]] = {}
    for language, lexer in known:
        if language not in marks:
            marks[language] = comments(lexer)
    return {name: counted(*both) for name, both in words.items() if len(both[0] | both[1]) >= LEAST_WORDS}, marks


def counted(strong: set[str], weak: set[str]) -> dict[int, float]:
    """The counts that keywords and built-in names stand for, by token."""
    found: dict[int, float] = defaultdict(float)
    for group, strength in ((weak - strong, BUILTIN), (strong, KEYWORD)):
        for key in {int(key) for word in group for key in hashes(word.encode())}:
            found[key] += strength
    return dict(found)


def arrays(samples: Counts, words: Counts, marks: dict[str, set[int]]) -> dict[str, np.ndarray]:
    """The model's arrays; tokens by hash, the languages of a token by name."""
    names = sorted(({*samples, *words}) & set(table()))
    merged = [dict(samples.get(name, {})) for name in names]
    for counts, name in zip(merged, names, strict=True):
        for key, count in words.get(name, {}).items():
            counts[key] = counts.get(key, 0.0) + count
    totals: dict[int, float] = defaultdict(float)
    postings: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for at, counts in enumerate(merged):
        for key, count in sorted(counts.items()):
            totals[key] += count
            postings[key].append((at, count))
    keys, everything = sorted(postings), sum(totals[key] for key in sorted(totals))
    rarity = [(math.log(len(names) / len(postings[key])) / math.log(len(names))) ** RARITY for key in keys]
    weights = [
        idf * math.log1p(count / (SMOOTHING * totals[key] / everything))
        for key, idf in zip(keys, rarity, strict=True)
        for _, count in postings[key]
    ]
    scale = max(weights) / 255
    family = {member for members in guesslang.FAMILIES.values() for member in members}
    told = (set(guesslang.load().languages) | family) - {""}
    prior = [
        LEXED * (name in marks) + PROGRAMMING * (table()[name].type == "programming") + GUESSED * (name in told)
        for name in names
    ]
    return {
        "languages": np.array(names, dtype="U48"),
        "tokens": np.array(keys, dtype="<u4"),
        "rarity": np.array([round(idf * 255) for idf in rarity], dtype="u1"),
        "spread": np.array([len(postings[key]) for key in keys], dtype="<u2"),
        "posted": np.array([at for key in keys for at, _ in postings[key]], dtype="<u2"),
        "weights": np.array([round(weight / scale) for weight in weights], dtype="u1"),
        "scale": np.array([scale], dtype="<f4"),
        "penalty": np.array([math.log1p(sum(counts.values()) / SMOOTHING) for counts in merged], dtype="<f4"),
        "prior": np.array(prior, dtype="<f4"),
        "marks": np.array([_marked(name, marks) for name in names], dtype="<f4"),
    }


def _marked(name: str, marks: dict[str, set[int]]) -> list[float]:
    """MARK for each comment mark that the language has, −MARK for the others; zeros where nothing is known."""
    own = marks.get(name, set())
    if not 0 < len(own) < 9:  # a lexer that takes everything for a comment tells nothing
        return [0.0] * len(MARKS)
    hidden = {MARKS.index("#")} if name in PREPROCESSED else set()
    return [MARK if at in own - hidden else -MARK for at in range(len(MARKS))]


def main(sdist: Path, wheel: Path, folder: Path) -> None:
    """Write tokens.npz and tokens.notice.txt to `folder`; refuses any other archives than the pinned ones."""
    for path, expected in ((sdist, SDIST_SHA256), (wheel, WHEEL_SHA256)):
        if (digest := hashlib.sha256(path.read_bytes()).hexdigest()) != expected:
            raise SystemExit(f"{path}: sha256 is {digest}, expected {expected}")
    sys.path.insert(0, str(wheel))
    with tarfile.open(sdist) as archive:
        aliases = entries(member(archive, "alias"), "LanguageByAliasMap", STRING)
        samples = sampled(member(archive, "frequencies"))
        licence = archive.extractfile("enry_python-0.3.0/_go/LICENSE")
        assert licence is not None
        go_enry = licence.read().decode()
    with zipfile.ZipFile(wheel) as packed:
        pygments = packed.read("pygments-2.21.0.dist-info/licenses/LICENSE").decode()
    words, marks = lexed(aliases)
    found = arrays(samples, words, marks)
    data = stored(found)
    (folder / "tokens.npz").write_bytes(data)
    (folder / "tokens.notice.txt").write_text(
        "tokens.npz: tokens, keywords and comment marks by language.\n"
        "Made 2026-11-23 by scripts/make_language_tokens.py.\n"
        f"tokens.npz sha256 {hashlib.sha256(data).hexdigest()}\n"
        "Sources: enry_python-0.3.0.tar.gz (PyPI; go-enry, Apache-2.0; counts of the samples of Linguist, MIT), sha256 "
        f"{SDIST_SHA256}\n         pygments-2.21.0-py3-none-any.whl (PyPI, BSD-2-Clause), sha256 {WHEEL_SHA256}\n"
        f"\n-- Pygments --\n\n{pygments}\n-- go-enry --\n\n{go_enry}"
    )
    sizes = f"{len(found['languages'])} languages, {len(found['tokens']):,} tokens, {len(found['weights']):,} weights"
    print(f"{folder / 'tokens.npz'}: {len(data):,} bytes, {sizes}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
