"""Sets up what `make demo` and `make test` stand on, or says in one line what is missing.

Runs on the standard library alone, on any Python, since it is what finds out that Python is too old.
"""

import contextlib
import glob
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MINIMUM_PYTHON = (3, 11)
MINIMUM_NODE = (20, 19)
NPM_FOLDERS = ("tests/interop", "tests/interop/clients", "tests/interop/databases", "tests/e2e/solara")
DEBIAN_TOOLS = {
    "chromium": "chromium",
    "initdb": "postgresql",
    "openssl": "openssl",
    "nginx": "nginx",
    "caddy": "caddy",
    "systemd-analyze": "systemd",
}
POSTGRES_PROGRAMS = "/usr/lib/postgresql/*/bin"
POSTGRES_SETTING = "/etc/postgresql-common/createcluster.d/durabase-tests.conf"


def fail(message):
    """Say what is wrong and what to do, in one line, and stop."""
    sys.stderr.write(f"durabase: {message}\n")
    raise SystemExit(2)


def run(command, **options):
    """Run a command quietly; show all of its output if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode:
        sys.stderr.write(done.stdout.decode("utf-8", "replace"))
        fail(f"`{' '.join(command)}` failed with exit code {done.returncode}; its output is above.")


def say(message):
    sys.stdout.write(f"durabase: {message}\n")
    sys.stdout.flush()


def require_python():
    if sys.version_info < MINIMUM_PYTHON:
        needed = ".".join(map(str, MINIMUM_PYTHON))
        found = ".".join(map(str, sys.version_info[:2]))
        fail(
            f"Python {needed} or newer is needed, this is {found}. To name one: `make PYTHON=python{needed}`."
        )


def require_node():
    node = shutil.which("node")
    needed = ".".join(map(str, MINIMUM_NODE))
    if not node or not shutil.which("npm"):
        fail(f"Node.js {needed} or newer with npm is needed: see https://nodejs.org/en/download.")
    version = subprocess.run([node, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    if tuple(map(int, version.lstrip("v").split(".")[:2])) < MINIMUM_NODE:
        fail(f"Node.js {needed} or newer is needed, this is {version}: see https://nodejs.org/en/download.")


def pip(venv):
    python = os.path.join(venv, "bin", "python")
    return [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def make_venv(venv):
    """A virtual environment with the package, editable, and what its server needs."""
    require_python()
    if not os.path.exists(os.path.join(venv, "bin", "python")):
        say(f"making a virtual environment in {venv}")
        try:
            import ensurepip  # noqa: F401  # Debian ships venv without it
        except ImportError:
            fail("the venv module is incomplete: `apt-get install python3-venv`, then run this again.")
        run([sys.executable, "-m", "venv", venv], cwd=ROOT)
    say("installing durabase")
    run([*pip(venv), "--editable", ".[server]"], cwd=ROOT)


def install_dev(venv):
    """The tools that the tests and checks run on; one of them builds the documentation."""
    say("installing the test tools")
    install_groups(venv, "dev", "docs")


def install_docs(venv):
    """What builds the documentation, and nothing else."""
    say("installing Sphinx")
    install_groups(venv, "docs")


def install_groups(venv, *names):
    import tomllib

    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        groups = tomllib.load(file)["dependency-groups"]
    run([*pip(venv), *(requirement for name in names for requirement in groups[name])], cwd=ROOT)


def make_compiled_venv(venv):
    """A virtual environment with the test tools and the package as a wheel, its hot modules compiled."""
    require_python()
    run([sys.executable, "-m", "venv", venv], cwd=ROOT)
    say("compiling durabase, which takes a minute or more")
    run([*pip(venv), ".[server]"], cwd=ROOT)
    install_dev(venv)


def npm_ci(folder):
    require_node()
    run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=os.path.join(ROOT, folder))


def build_client(folder):
    """The demo app as static files."""
    require_node()
    say("building the client")
    npm_ci(folder)
    run(["npm", "run", "build"], cwd=os.path.join(ROOT, folder))


def apt_install(packages):
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        fail(f"missing {' and '.join(packages)}: `apt-get install {' '.join(packages)}`.")
    say(f"installing {' '.join(packages)}")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    run(["apt-get", "update", "-qq"], env=environment)
    with no_debian_cluster():
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], env=environment)


@contextlib.contextmanager
def no_debian_cluster():
    """Keep Debian's package from making and starting a PostgreSQL cluster: the tests make their own."""
    os.makedirs(os.path.dirname(POSTGRES_SETTING), exist_ok=True)
    with open(POSTGRES_SETTING, "w", encoding="utf-8") as file:
        file.write("create_main_cluster = false\n")
    try:
        yield
    finally:
        os.remove(POSTGRES_SETTING)


def has_program(name):
    """Whether a program is there; Debian puts PostgreSQL's own and servers where not every PATH leads."""
    return bool(
        shutil.which(name)
        or shutil.which(name, path="/usr/sbin")
        or glob.glob(os.path.join(POSTGRES_PROGRAMS, name))
    )


def install_tools():
    """Real TinyBase and PostgreSQL for the interop tests, browser and proxies for the end-to-end tests."""
    for folder in NPM_FOLDERS:
        say(f"installing {folder}")
        npm_ci(folder)
    missing = [package for program, package in DEBIAN_TOOLS.items() if not has_program(program)]
    if missing:
        apt_install(missing)


def main(arguments):
    steps = {
        "venv": make_venv,
        "compiled": make_compiled_venv,
        "dev": install_dev,
        "docs": install_docs,
        "client": build_client,
        "tools": install_tools,
    }
    steps[arguments[0]](*arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
