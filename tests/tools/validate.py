#!/usr/bin/env python3
"""Runs the official IIIF Image API validator against a server: every version, every optional test.

usage: validate.py http://HOST:PORT IDENTIFIER...

Each identifier is the validator's test image. The server has to read Image API 3.0 as the validator does
(`iiif.strict_validator`), because two of its tests contradict the specification.

The validator's tests are run as they are. Only what Python 3 and the newer binding of libmagic took from
under them is put back: they were written for `urllib.urlopen`, for text and bytes being one type, and for
a `magic.Magic` that is a context with `id_buffer`.
"""
import contextlib
import io
import sys
import urllib.parse
import urllib.request

with contextlib.redirect_stdout(io.StringIO()):  # some tests print when they are imported
    import magic
    from iiif_validator import tests
    from iiif_validator.validator import ImageAPI, TestSuite, ValidationInfo

# Path below /iiif, the version that is asked for, the version as which the validator runs. It has no tests
# of 2.1 but region_square, which runs beside those of 2.0.
RUNS = [
    ("1.0", "1.0", "1.0"), ("1.1", "1.1", "1.1"), ("1", "1.1", "1.1"), ("1", "1.0", "1.0"),
    ("2", "2.0", "2.0"), ("2", "2.1", "2.0"), ("3", "3.0", "3.0"),
]

# What no server can pass: the requests are those of 1.1, whose link has to name another document.
ONE_ADDRESS = {("1", "1.0", "linkheader_profile"): "/iiif/1 names the document of 1.1; /iiif/1.0 that of 1.0"}

# The tests draw at random.
TIMES = 3

# Fewer tests than this in any run mean that the validator is not the one that is known.
FEWEST_TESTS = 37


class LatinBody:
    """An answer whose body is text, a character a byte."""

    def __init__(self, url):
        self.answer = urllib.request.urlopen(url)

    def read(self):
        return self.answer.read().decode("latin-1")

    def __getattr__(self, name):
        return getattr(self.answer, name)


class LatinUrllib:
    urlopen = LatinBody


def put_back():
    urllib.urlopen = urllib.request.urlopen
    magic.Magic.__enter__ = lambda self: self
    magic.Magic.__exit__ = lambda self, *error: None
    magic.Magic.id_buffer = lambda self, data: self.from_buffer(data)
    tests.format_webp.urllib = LatinUrllib


def problem_of(name, server, path, identifier, version):
    """Why the test fails, or None."""
    result = ImageAPI(identifier, server, f"iiif/{path}", "http", "", version, debug=False)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            TestSuite(ValidationInfo()).run_test(name, result)
    except Exception as error:  # a test that breaks has not passed
        return f"{error!r}, last {result.last_url}"
    return result.exception and f"{result.exception}, last {result.last_url}"


def names_of(asked, version):
    names = set(TestSuite(ValidationInfo()).list_tests(version))
    if asked == "2.1":
        names.add("region_square")
    return sorted(names)


def run(server, path, asked, version, identifier):
    """Runs one version for one identifier; gives the number of failures."""
    names = names_of(asked, version)
    passed, failed, excused = 0, 0, 0
    for name in names:
        problems = (problem_of(name, server, path, identifier, version) for _ in range(TIMES))
        problem = next((problem for problem in problems if problem), None)
        excuse = ONE_ADDRESS.get((path, asked, name))
        if not problem:
            passed += 1
        elif excuse:
            excused += 1
            print(f"  not counted: {name}: {excuse}")
        else:
            failed += 1
            print(f"  FAILED {name}: {problem}")
    print(f"{asked} at /iiif/{path}, {identifier}: {passed} passed, {failed} failed, {excused} not counted")
    return failed + (len(names) < FEWEST_TESTS)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    put_back()
    server = urllib.parse.urlsplit(sys.argv[1]).netloc
    failures = sum(run(server, *version, identifier) for identifier in sys.argv[2:] for version in RUNS)
    sys.exit(1 if failures else 0)


main()
