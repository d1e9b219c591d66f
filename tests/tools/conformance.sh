#!/usr/bin/env bash
# Runs the official IIIF validator, all versions, against a server of ours on fixtures/images.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tools/environment.sh
. tests/tools/server.sh

environment conformance iiif-validator==1.0.5 python-magic==0.4.27 lxml pillow
start env TRIFORIUM_IIIF__STRICT_VALIDATOR=true "${BINARY:-target/debug/triforium}" || fail "the server does not start"
"$python" tests/tools/validate.py "$base" 67352ccc-d1b0-11e1-89ae-279075081939 iiif-test-image.png
