#!/usr/bin/env python3
"""Compares the licences of all dependencies with the list of those that this project may use."""
import json
import re
import subprocess
import sys

ALLOWED = {
    "MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "NCSA", "0BSD",
    "BSL-1.0", "CC0-1.0", "Unlicense", "IJG", "Unicode-3.0", "MPL-2.0", "libpng-2.0", "CDLA-Permissive-2.0",
}


def allows(expression):
    """Whether an SPDX expression can be met with the allowed licences alone."""
    tokens = re.findall(r"\(|\)|AND|OR|WITH|[A-Za-z0-9.+-]+", expression.replace("/", " OR "))

    def parse_or():
        result = parse_and()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            other = parse_and()
            result = result or other
        return result

    def parse_and():
        result = parse_one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            other = parse_one()
            result = result and other
        return result

    def parse_one():
        token = tokens.pop(0)
        if token == "(":
            result = parse_or()
            tokens.pop(0)
            return result
        if tokens and tokens[0] == "WITH":
            del tokens[:2]
        return token in ALLOWED

    return parse_or() and not tokens


def main():
    text = subprocess.check_output(
        ["cargo", "metadata", "--locked", "--format-version", "1", "--all-features",
         "--filter-platform", "x86_64-unknown-linux-gnu"])
    packages = [p for p in json.loads(text)["packages"] if p["source"]]
    bad = [f'{p["name"]} {p["version"]}: {p["license"]}'
           for p in packages if not p["license"] or not allows(p["license"])]
    print(f"{len(packages)} dependencies, {len(bad)} with a licence that is not allowed")
    for line in bad:
        print(" ", line)
    sys.exit(1 if bad or len(packages) < 50 else 0)


main()
