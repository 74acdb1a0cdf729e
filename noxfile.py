# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Development sessions: `.venv/bin/nox --list` names them, `make test` runs them all.

Each session makes its own environment below .nox with uv and keeps it. Programs get a home folder
of their own, so nothing outside this clone and the user's cache folder is touched, and each session
checks that it left nothing behind.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import sys
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent / "scripts"))

import coverage_sessions
import drawing_sessions
import measuring
import path_sessions
import scenarios
import sessions
import workshop
from bench import CORES, NEEDED, Bench, bench, one_for, pinned
from workshop import COLLECTION, ROOT, WORK
from workspace import place_get_pip

# Nox finds the sessions in them.
__all__ = ["coverage_sessions", "drawing_sessions", "path_sessions"]

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "unit-2.19"]

LINTERS = (
    "ansible-lint",
    "antsibull-changelog",
    "antsibull-docs",
    "click",
    "coverage",
    "grafana-foundation-sdk",
    "mypy",
    "nox",
    "pytest",
    "rich",
    "ruff",
    "types-PyYAML",
    "yamllint",
)
PYTEST = ("pytest", "pytest-xdist")
TYPED = (
    "cli",
    "plugins",
    "tests/benchmarks",
    "tests/conformance",
    "tests/simulator",
    "tests/unit/chaos",
    "tests/unit/matrix",
    "scripts",
    "noxfile.py",
)
MAIN_CORE = "2.19"  # runs everything; the others run what can differ by release
# What pages refer to in Ansible's own documentation.
OF_ANSIBLE = re.compile(
    r"undefined label: '(action_plugins|callback_plugins|common_return_values|"
    r"ansible_configuration_settings|ansible_collections\.ansible\.builtin\.\S+)'|"
    r"'envvar' reference target not found: ANSIBLE_"
)
DIFFERS = ("ansible-doc", "compile", "import", "validate-modules")  # of the tests of sanity


@nox.session
@bench
def lint(at: Bench) -> None:
    """Ruff, mypy, yamllint, ansible-lint (production), changelog and documentation checks."""
    at.use(workshop.environment_for("lint", pinned("ansible-core", "datacrunch", *LINTERS)))
    tree = workshop.make_tree("lint")
    at.env["ANSIBLE_COLLECTIONS_PATH"] = str(tree.parents[len(COLLECTION.parts) - 1])
    at.check("ruff", "ruff", "check", "--no-cache", ".")
    at.check("ruff format", "ruff", "format", "--check", "--no-cache", ".")
    at.check("mypy", "mypy", "--cache-dir", WORK / "mypy", *TYPED)
    at.check("yamllint", "yamllint", "--strict", ".")
    at.check("ansible-lint", "ansible-lint", "--offline", cwd=tree)
    at.check("antsibull-changelog", "antsibull-changelog", "lint")
    docs = ("--plugin-docs", "--validate-collection-refs=self", "--check-extra-docs-refs", ".")
    at.check("antsibull-docs", "antsibull-docs", "lint-collection-docs", *docs, cwd=tree)


def unit(core: str, at: Bench) -> None:
    """Run the unit tests on one release of ansible-core, or those that can differ by release."""
    base = at.python_of(core)
    if base is None:
        return
    requirements = [
        f"ansible-core=={CORES[core].release}",
        *pinned(*NEEDED, "click", "psycopg", "psycopg-binary", "aiosmtpd", *PYTEST, "coverage"),
    ]
    at.use(workshop.environment_for(f"unit-{core}", requirements, base))
    chosen = () if core == MAIN_CORE else ("-m", "every_core")
    report = WORK / f"junit-unit-{core}.xml"
    # By file, so that no two workers make the same fixtures; in order, for the longest come first;
    # by one worker more than there are cores, for what waits for programs leaves them idle.
    spread = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
    at.pytest(f"pytest on ansible-core {core}", report, "-q", *spread, *chosen)


for core in CORES:
    one_for("unit", core, unit)


def ansible_test(core: str, at: Bench) -> Path | None:
    """Prepare for ansible-test of one release; return its tree, or None without its Python."""
    base = at.python_of(core)
    if base is None:
        return None
    requirements = [f"ansible-core=={CORES[core].release}"]
    folder = workshop.environment_for(f"ansible-test-{core}", requirements, base)
    at.use(folder)
    packages = next((folder.parent / "lib").glob("python3*/site-packages"))
    place_get_pip(packages, Path(at.env["HOME"]))
    return workshop.make_tree(at.session.name)


def sanity(core: str, at: Bench) -> None:
    """Run ansible-test sanity without any ignore file, or its tests that differ by release."""
    tree = ansible_test(core, at)
    if tree is None:
        return
    fixed = ("sanity", "--venv", "--python", CORES[core].python, "--junit")
    tests = [] if core == MAIN_CORE else [word for name in DIFFERS for word in ("--test", name)]
    passed = at.run("ansible-test", *fixed, *tests, *at.session.posargs, cwd=tree) is not None
    reports = sorted((tree / "tests/output/junit").glob("*.xml"))
    for report in reports:
        at.result.add_junit(report)
    at.result.check(f"ansible-test sanity on ansible-core {core}", passed and bool(reports))


for core in CORES:
    one_for("sanity", core, sanity)


@nox.session
@bench
def integration(at: Bench) -> None:
    """Run the integration targets, or those named after `--`, against the simulator."""
    tree = ansible_test(MAIN_CORE, at)
    if tree is None:
        return
    listing = ("integration", "--list-targets", *at.session.posargs)
    output = (at.run("ansible-test", *listing, cwd=tree, silent=True) or "").splitlines()
    targets = [line for line in output if (tree / "tests/integration/targets" / line).is_dir()]
    at.result.check("there are integration targets", bool(targets))
    fixed = ("integration", "--venv", "--python", CORES[MAIN_CORE].python)
    # Each start of ansible-test takes seconds. Only to tell which one fails, they run one by one.
    with at.measured() as measured:
        # It measures by itself, with the release of coverage.py that it pins.
        command = ("ansible-test", *fixed, *(["--coverage"] if measured else []), *targets)
        together = at.run(*command, cwd=tree) is not None
        if measured:
            measuring.add("integration", (tree / "tests/output/coverage").glob("*=coverage.*"))
    for target in targets:
        if together:
            at.result.check(target, good=True)
        else:
            at.check(target, "ansible-test", *fixed, target, cwd=tree)


@nox.session
@bench
def build(at: Bench) -> None:
    """Build, install into an empty folder, read the documentation there, import as Galaxy does."""
    programs = workshop.environment_for("build", pinned("ansible-core", "click", *NEEDED))
    at.use(programs)
    dist, empty = WORK / "dist", WORK / "installed"
    for folder in (dist, empty):
        shutil.rmtree(folder, ignore_errors=True)
    at.env["ANSIBLE_COLLECTIONS_PATH"] = str(empty)
    # Galaxy wants one, and this is nobody's.
    at.env["GPUOPS_REPOSITORY"] = "https://example.com/gpuops.cloud"
    at.check("scripts/dist.py", "python", "scripts/dist.py", dist)
    tarball = next(dist.glob("gpuops-cloud-*.tar.gz"))
    packed = workshop.packed_files(tarball) - {"MANIFEST.json", "FILES.json"}
    strangers = sorted(packed - workshop.known_files())
    at.result.check(f"only files of the project are packed {strangers[:5]}", not strangers)
    at.result.check("the command is no part of it", not [p for p in packed if p.startswith("cli/")])
    install = ("ansible-galaxy", "collection", "install", "--offline", tarball, "-p", empty)
    at.check("ansible-galaxy install", *install, cwd=WORK)
    read_documentation(at, empty / COLLECTION)
    workshop.install_command(programs)
    at.check("gpuops", "gpuops", "offers", "-e", "list=tiers", cwd=WORK)
    import_as_galaxy(at, tarball)


@nox.session
@bench
def site(at: Bench) -> None:
    """Build the documentation as a site; no warning about a page of ours passes."""
    tools = ("antsibull-docs", "sphinx", "sphinx-ansible-theme")
    at.use(workshop.environment_for("site", pinned("ansible-core", *tools)))
    tree, folder = workshop.make_tree("site"), WORK / "documentation"
    at.env["ANSIBLE_COLLECTIONS_PATH"] = str(tree.parents[len(COLLECTION.parts) - 1])
    shutil.rmtree(folder, ignore_errors=True)
    pages, warnings = folder / "rst", folder / "warnings.txt"
    for place in (folder, pages):
        place.mkdir(mode=0o700)
    warnings.touch()
    ours = ("--use-current", "--squash-hierarchy", "gpuops.cloud", "--dest-dir")
    at.check("antsibull-docs sphinx-init", "antsibull-docs", "sphinx-init", *ours, folder)
    at.check("antsibull-docs collection", "antsibull-docs", "collection", *ours, pages)
    # Without the extension that asks the sites of others for their names.
    words = ("-q", "-D", "extensions=sphinx_antsibull_ext", "-w", warnings, "-c", folder)
    at.check("sphinx-build", "sphinx-build", *words, pages, folder / "html")
    told = warnings.read_text(encoding="utf-8").splitlines()
    own = [line for line in told if not OF_ANSIBLE.search(line)]
    print("\n".join(own))
    at.result.check("the pages lead somewhere", bool(told) and not own)


def read_documentation(at: Bench, collection: Path) -> None:
    """Check in an installed collection that everything is documented and every playbook loads."""
    documented = workshop.documented(collection)
    at.result.check("the collection was installed", bool(documented))
    for kind in sorted({kind for kind, _name in documented}):
        names = [f"gpuops.cloud.{name}" for its_kind, name in documented if its_kind == kind]
        command = ("ansible-doc", "--json", "--type", kind)
        text = at.check(" ".join(command), *command, *names, cwd=WORK, silent=True)
        # Warnings come before it.
        told = json.loads(text[text.index("{") :]) if "{" in text else {}
        for name in names:
            words = told.get(name, {})
            good = bool(words.get("entry_points") or words.get("doc", {}).get("description"))
            at.result.check(f"{kind} {name} is documented", good)
    found = sorted((collection / "playbooks").glob("*.yml"))
    load = ("ansible-playbook", "--syntax-check")
    at.check(" ".join(load), *load, *(f"gpuops.cloud.{path.stem}" for path in found), cwd=WORK)


def import_as_galaxy(at: Bench, tarball: Path) -> None:
    """Run galaxy-importer, apart because it pins old libraries; no warning passes."""
    at.use(workshop.environment_for("importer", pinned("galaxy-importer", "ansible-core")))
    at.env["GALAXY_IMPORTER_CHECK_REQUIRED_TAGS"] = "true"
    at.env["GALAXY_IMPORTER_RUN_ANSIBLE_LINT"] = "false"  # the session lint does, with more rules
    output = at.check(
        "galaxy-importer", "python", "-m", "galaxy_importer.main", tarball, cwd=WORK, silent=True
    )
    complaints = [line for line in output.splitlines() if line.startswith(("WARNING", "ERROR"))]
    print("\n".join(complaints))
    at.result.check("galaxy-importer has no complaints", bool(output) and not complaints)


def molecule(which: str, at: Bench) -> None:
    """Run the molecule scenarios of a session, or those named after `--`, on real hosts."""
    at.use(workshop.environment_for("molecule", pinned("ansible-core", *NEEDED, "molecule")))
    at.env["ANSIBLE_COLLECTIONS_PATH"] = str(ROOT / ".collections")
    covered = sessions.covered(f"molecule-{which}", "molecule")
    scenarios.play(at, at.session.posargs or covered)


for session in sessions.read():
    if session.name.startswith("molecule-"):
        one_for("molecule", session.name.removeprefix("molecule-"), molecule)


@nox.session
@bench
def chaos(at: Bench) -> None:
    """Play 3,000 random sequences, 3,000 wrong answers, 2,000 threes of dialects, 30 kills of jobs.

    And 3,000 sequences over two clouds, and a whole month of deployments, of which each change
    sees a week.
    GPUOPS_CHAOS_SEED plays those of a seed again.
    """
    at.use(workshop.environment_for("chaos", pinned("ansible-core", *NEEDED, *PYTEST)))
    seed = at.env.setdefault("GPUOPS_CHAOS_SEED", str(secrets.randbelow(10**9)))
    runs = at.env.setdefault("GPUOPS_CHAOS_RUNS", "3000")
    threes = at.env.setdefault("GPUOPS_MATRIX_TRIPLES", "2000")
    at.env.setdefault("GPUOPS_CHAOS_KILLS", "20,10")
    at.env.setdefault("GPUOPS_MONTH_DAYS", "30")
    at.env.setdefault("GPUOPS_MONTH_STEP", "1")
    print(f"{runs} sequences and wrong answers from seed {seed} on,")
    print(f"{threes} threes of dialects of that seed: GPUOPS_CHAOS_SEED={seed} plays them again")
    chosen = "sequence or triple or cannot_be_read or is_killed or too_much or any_request"
    places = ("tests/unit/chaos", "tests/unit/matrix")
    at.pytest("chaos", WORK / "junit-chaos.xml", "-q", "-n", "auto", *places, "-k", chosen)


@nox.session
@bench
def clients(at: Bench) -> None:
    """Let programs of others that use the real cloud work on the simulated one."""
    at.use(workshop.environment_for("clients", pinned("dstack[verda]", "pytest")))
    at.pytest("clients", WORK / "junit-clients.xml", "-q", "tests/clients/test_dstack.py")
    tools = ("vastai", "ansible-core", *NEEDED, "pytest")
    at.use(workshop.environment_for("clients-vast", pinned(*tools)))
    at.pytest(
        "the vendor's command", WORK / "junit-vastai.xml", "-q", "tests/clients/test_vastai.py"
    )


@nox.session
@bench
def benchmarks(at: Bench) -> None:
    """Measure how fast machines are chosen and bought; docs/benchmarks.md keeps what came out."""
    tools = pinned("ansible-core", *NEEDED, *PYTEST, "asyncssh")
    at.use(workshop.environment_for("benchmarks", tools))
    at.check("benchmarks", "python", "tests/benchmarks/measure.py")
