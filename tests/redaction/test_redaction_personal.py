"""Personal data by form: e-mail addresses of every RFC's making, addresses of every version, people in tags."""

import pytest

from stages.redaction import DEFAULT_KINDS, Settings
from tests.redaction.samples import run

EMAILS = {
    "detail with a slash and an equals sign": ("to olga+box/dept=sales@forge.io now", "olga+box/dept=sales@forge.io"),
    "no detail, after an equals sign": ("to=olga@forge.io", "olga@forge.io"),
    "apostrophe": ("by pat.o'neil@forge.io.", "pat.o'neil@forge.io"),
    "in a marked string": ("x = b'olga@forge.io'", "olga@forge.io"),
    "in a formatted string": ("x = f'olga@forge.io, {y}'", "olga@forge.io"),
    "quoted": ('mail = "olga..n"@forge.io', '"olga..n"@forge.io'),
    "quoted at sign": (r'"a\"b@c"@forge.io', r'"a\"b@c"@forge.io'),
    "string with an address": ('m = "olga@forge.io"', "olga@forge.io"),
    "literal": ("to root@[78.141.62.146]!", "root@[78.141.62.146]"),
    "Devanagari": ("ई: अजय@डाटा.भारत", "अजय@डाटा.भारत"),
    "punycode": ("x@xn--forge-kva.xn--p1ai", "x@xn--forge-kva.xn--p1ai"),
    "angle brackets": ("Olga <olga@forge.io>", "olga@forge.io"),
    "sentence": ("Write to olga@forge.io.", "olga@forge.io"),
    "port": ("user@mail.forge.io:25", "user@mail.forge.io"),
}
NO_EMAILS = (
    '"olga..n"@example.com',
    "a@b.example.org",
    "a@build.test",
    "this@Outer.field",
    "return@forEach.value",
    "pkg@v1.0.0-rc.beta",
    "root@[127.0.0.1]",
    "git@forge.io:team/x.git",
    '"label"@en',
    "https://olga@forge.io/x",
)
ADDRESSES = {
    "range": ("78.141.62.1-78.141.62.99", "<IP_ADDRESS>-<IP_ADDRESS>"),
    "zeros in front": ("ip 078.141.062.146", "ip <IP_ADDRESS>"),
    "prefix": ("78.141.62.0/24", "<IP_ADDRESS>/24"),
    "port": ("[2a03:6885::8b1]:443", "[<IP_ADDRESS>]:443"),
    "zone": ("2a03:6885::8b1%eth0/64", "<IP_ADDRESS>/64"),
    "mapped": ("::ffff:78.141.62.146", "<IP_ADDRESS>"),
    "letters alone": ("host = 'a:b:c::d:e'", "host = '<IP_ADDRESS>'"),
    "short": ("23.45.67.89:80 x", "<IP_ADDRESS>:80 x"),
    "group of an organisation": ("ff08::9abc%10", "<IP_ADDRESS>"),
}
NO_ADDRESSES = (
    "ff02::1",
    "239.255.255.250",
    "224.0.0.251",
    "std::dead::beef",
    "a::b",
    "x[::2]",
    "foo-78.141.62.146-r1",
    "// 23.2.1.12 [modifiers]",
    'ObjectIdentifier("2.5.29.178")',
    "d='M1 3.5c2.83-2.12 3.51.98.32 2.03.5'",
    "less than 1000::",
    "Linux 2.6.23.1",
    "del a[::1000]",
    "the form 'a::b%25zone' of a host",
)
NAMES = {
    "Signed-off-by: Olga Nowak <olga@forge.io>": "Signed-off-by: <NAME> <<EMAIL>>",
    "Co-authored-by: Olga <olga@forge.io>": "Co-authored-by: <NAME> <<EMAIL>>",
    " * @author Olga van der Berg": " * @author <NAME>",
    "__author__ = 'Olga Nowak, Jürgen D. Weiß'": "__author__ = '<NAME>, <NAME>'",
    '"author": "Olga Nowak <olga@forge.io>",': '"author": "<NAME> <<EMAIL>>",',
    'authors = [{name = "Olga Nowak", email = "olga@forge.io"}]': 'authors = [{name = "<NAME>", email = "<EMAIL>"}]',
    "//  Created by Olga Nowak on 3/4/12.": "//  Created by <NAME> on 3/4/12.",
    "Reviewed-by: 山田太郎 <taro@forge.io>": "Reviewed-by: <NAME> <<EMAIL>>",
}
NO_NAMES = (
    "@author the Forge team",
    "Author: Forge Labs Inc",
    "author = get_author()",
    "Copyright (c) 2020 Olga Nowak",
    "from: Berlin to: Wien",
)


@pytest.mark.parametrize("name", EMAILS)
def test_addresses_of_every_form_go_whole(name):
    text, value = EMAILS[name]
    assert run(text, "a.md")[0] == text.replace(value, "<EMAIL>")


@pytest.mark.parametrize("text", NO_EMAILS)
def test_what_names_nobody_stays(text):
    assert run(text, "a.md", kinds=("EMAIL",))[0] == text


def test_reserved_domains_are_a_setting():
    text = "olga@example.com, olga@sub.forge.io, olga@myexample.com"
    assert run(text, "a.md")[0] == "olga@example.com, <EMAIL>, <EMAIL>"
    assert run(text, "a.md", keep_domains=())[0] == "<EMAIL>, <EMAIL>, <EMAIL>"
    assert run(text, "a.md", keep_domains=("forge.io",))[0] == "<EMAIL>, olga@sub.forge.io, <EMAIL>"


@pytest.mark.parametrize("name", ADDRESSES)
def test_ip_addresses_of_every_form(name):
    text, expected = ADDRESSES[name]
    assert run(text, "a.md")[0] == expected


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_near_groups_and_names_are_no_addresses(text):
    assert run(text, "a.rs", kinds=("IP_ADDRESS",))[0] == text


@pytest.mark.parametrize("text", NAMES)
def test_people_in_tags_go_at_high_sensitivity(text):
    assert run(text, "a.txt", sensitivity="high")[0] == NAMES[text]
    assert "<NAME>" not in run(text, "a.txt")[0]
    assert "<NAME>" in run(text, "a.txt", sensitivity="high", kinds=("NAME",))[0]


@pytest.mark.parametrize("text", NO_NAMES)
def test_crowds_companies_and_copyright_holders_stay(text):
    assert run(text, "a.txt", sensitivity="high")[0] == text


def test_names_are_looked_for_by_default_at_high_alone():
    assert Settings().kinds == DEFAULT_KINDS
    assert Settings(sensitivity="high").kinds == (*DEFAULT_KINDS, "NAME")
    assert Settings(sensitivity="high", kinds=("EMAIL",)).kinds == ("EMAIL",)
