"""The Chinese catalogues: complete, compiled, well set, and true to what the pages put into them."""

from __future__ import annotations

import ast
import re
import shutil
import struct
import subprocess
from dataclasses import dataclass, field
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.utils.translation.template import templatize

HOUSE = Path(__file__).resolve().parents[1] / "sishu"
CATALOGUES = sorted(HOUSE.glob("locale*/*/LC_MESSAGES/*.po"))
OURS = HOUSE / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"

# Programs compare these words; nobody may make them prettier.
CONTRACT = {
    ("", "Signed up."): "注册成功",
    ("", "Signed in."): "登录成功",
    ("a work", "Published."): "发布成功",
    ("a work", "Saved."): "编辑成功",
    ("a work", "Submitted for review."): "已提交审核",
    ("", "Payment successful."): "支付成功",
    ("", "Please complete the payment."): "请完成支付",
}

HAN = r"[\u4e00-\u9fff]"
# What a Chinese compositor would send back, and why.
SLIPS = {
    "ASCII punctuation beside Han": re.compile(rf"{HAN}[,.;:?!]|[,;?!]{HAN}"),
    "a typed space between Han and Latin": re.compile(rf"{HAN} [A-Za-z0-9%]|[A-Za-z0-9)] {HAN}"),
    "a space beside full-width punctuation": re.compile(r" [，。；：？！、《》]|[，。；：？！、《》] (?!\{)"),
    "straight quotation marks": re.compile(rf"{HAN}[\"']|[\"']{HAN}"),
    "characters lost on the way": re.compile(r"\ufffd|\?\?|锟|Ã|â€"),
    "a stiff “you” beside the plain one": re.compile("您"),
}

KEYWORDS = (
    "gettext_noop",
    "gettext_lazy",
    "ngettext_lazy:1,2",
    "pgettext:1c,2",
    "npgettext:1c,2,3",
    "pgettext_lazy:1c,2",
    "npgettext_lazy:1c,2,3",
)


@dataclass
class Message:
    """One entry of a .po file. `texts` are msgctxt, msgid, msgid_plural and msgstr, as far as it has them."""

    flags: str = ""
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        return self.texts.get("msgctxt", ""), self.texts["msgid"]

    @property
    def source(self) -> str:
        """What the translation stands for; Chinese has one form, and it says what the English plural says."""
        return self.texts.get("msgid_plural", self.texts["msgid"])

    @property
    def translation(self) -> str:
        return self.texts.get("msgstr", self.texts.get("msgstr[0]", ""))


def read_po(text: str) -> list[Message]:
    """The messages of a .po file without its header."""
    messages = []
    for block in re.split(r"\n\s*\n", text):
        message, kind = Message(), ""
        for line in block.splitlines():
            if line.startswith("#"):
                message.flags += line if line.startswith("#,") else ""
            elif line:
                start = line.index('"')
                kind = line[:start].strip() or kind
                message.texts[kind] = message.texts.get(kind, "") + ast.literal_eval(line[start:])
        if message.texts.get("msgid"):
            messages.append(message)
    return messages


def complaints(catalogue: Path, wrong: dict[str, str]) -> str:
    return "\n".join(
        [f"{catalogue.parent.parent.parent.name}/{catalogue.name}:", *(f"  {k}: {v}" for k, v in wrong.items())]
    )


@pytest.fixture(params=CATALOGUES, ids=lambda path: f"{path.parents[2].name}-{path.stem}")
def catalogue(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_every_word_is_translated_and_no_guess_is_left(catalogue: Path):
    text = catalogue.read_text(encoding="utf-8")
    messages = read_po(text)
    assert len({message.key for message in messages}) == len(messages) > 0
    assert [message.key for message in messages if not message.translation or "fuzzy" in message.flags] == []
    assert [line for line in text.splitlines() if line.startswith(("#:", "#~"))] == [], "no places, nothing dead"


def test_the_compiled_catalogue_says_what_the_source_says(catalogue: Path):
    """Machines that only run the house have no msgfmt, so the .mo is kept beside the .po."""
    compiled = catalogue.with_suffix(".mo").read_bytes()
    with catalogue.with_suffix(".mo").open("rb") as file:
        words = GNUTranslations(file)
    messages = read_po(catalogue.read_text(encoding="utf-8"))
    stale = {}
    for message in messages:
        context, msgid = message.key
        plural = message.texts.get("msgid_plural")
        if plural is None:
            said = words.pgettext(context, msgid) if context else words.gettext(msgid)
        else:
            said = words.npgettext(context, msgid, plural, 2) if context else words.ngettext(msgid, plural, 2)
        if said != message.translation:
            stale[msgid] = said
    assert not stale, complaints(catalogue, stale) + "\nCompile it: msgfmt -o django.mo django.po"
    (count,) = struct.unpack("<I", compiled[8:12])
    assert count == len(messages) + 1, "the header, and nothing that the source does not know"


def test_what_a_page_fills_in_has_its_place_in_the_translation(catalogue: Path):
    wrong = {}
    for message in read_po(catalogue.read_text(encoding="utf-8")):
        for pattern in (r"%\(\w+\)[a-z]", r"\{\w+\}" if "brace-format" in message.flags else r"%%", r"</?\w+"):
            if sorted(re.findall(pattern, message.source)) != sorted(re.findall(pattern, message.translation)):
                wrong[message.source] = message.translation
    assert not wrong, complaints(catalogue, wrong)


def test_it_is_set_as_chinese_is_set(catalogue: Path):
    wrong = {}
    for message in read_po(catalogue.read_text(encoding="utf-8")):
        prose = re.sub(r"<[^>]*>", "", message.translation)  # attributes are not read aloud
        for slip, pattern in SLIPS.items():
            if pattern.search(prose):
                wrong[f"{slip} in {message.translation!r}"] = message.source
    assert not wrong, complaints(catalogue, wrong)


def test_the_words_that_programs_read_stay_what_they_are():
    known = {message.key: message.translation for message in read_po(OURS.read_text(encoding="utf-8"))}
    assert {key: known.get(key) for key in CONTRACT} == CONTRACT


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="xgettext finds the words in the source")
def test_no_word_of_the_house_is_missing(tmp_path: Path):
    """What makemessages would find, found in one go."""
    sources = [path for path in HOUSE.rglob("*.py") if "migrations" not in path.parts]
    for folder in HOUSE.rglob("templates"):
        for template in (*folder.rglob("*.html"), *folder.rglob("*.txt")):
            copy = tmp_path / f"{len(sources)}.py"
            copy.write_text(templatize(template.read_text(encoding="utf-8"), origin=str(template)), encoding="utf-8")
            sources.append(copy)
    command = ["xgettext", "--from-code=UTF-8", "--language=Python", "--no-location", "--output=-"]
    found = subprocess.run(
        [*command, *(f"--keyword={word}" for word in KEYWORDS), "--files-from=-"],
        input="\n".join(map(str, sources)),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    known = {message.key for message in read_po(OURS.read_text(encoding="utf-8"))}
    missing = {message.key for message in read_po(found.stdout)} - known
    assert not missing, "In sishu/, run `python -m django makemessages -l zh_Hans --no-location`, and translate these."
