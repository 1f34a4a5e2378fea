"""The SBOM of the build under test says what its programs are, and what they link."""
import hashlib
import json
import os
import re
import subprocess
import sys

SBOM = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "tools", "sbom")
PROGRAMS = {"oprimary", "osecondary", "oacme", "ozone", "onotify", "oupdate", "octl", "ocertify", "okeygen"}


def test_sbom(bindir, need):
    need("meson", "readelf")
    build = os.path.join(bindir, os.pardir, os.pardir)
    text = subprocess.run([sys.executable, SBOM, build], check=True, capture_output=True, text=True).stdout
    assert text == subprocess.run([sys.executable, SBOM, build], check=True, capture_output=True, text=True).stdout
    sbom = json.loads(text)
    packages = {p["SPDXID"]: p for p in sbom["packages"]}
    links = {(r["spdxElementId"], r["relationshipType"], r["relatedSpdxElement"]) for r in sbom["relationships"]}
    assert sbom["spdxVersion"] == "SPDX-2.3" and len(packages) == len(sbom["packages"])
    assert all(re.fullmatch("SPDXRef-[A-Za-z0-9.-]+", name) for name in packages)
    assert {name for link in links for name in (link[0], link[2])} - {"SPDXRef-DOCUMENT"} == set(packages)
    assert {p["name"] for p in packages.values() if p.get("primaryPackagePurpose") == "APPLICATION"} == PROGRAMS
    for name in PROGRAMS:
        with open(os.path.join(bindir, name), "rb") as f:
            assert packages["SPDXRef-Program-" + name]["checksums"][0]["checksumValue"] == hashlib.sha256(f.read()).hexdigest()
    linked = {packages[other]["name"] for one, kind, other in links if (one, kind) == ("SPDXRef-Program-oprimary", "DYNAMIC_LINK")}
    assert {"libcrypto", "libuv", "libgit2", "libc.so.6"} <= linked and "libcurl" not in linked, linked
