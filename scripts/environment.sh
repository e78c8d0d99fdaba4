# Makes .venv with this project and its tools, once; sourced by demo, test and check.
# OBJECT_DETECTION_VENV names another folder; PYTHON another interpreter to make it with.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

_find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3.12 python3.11 python3.10 python3.13 python3 python; do
        if command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.10 or newer with venv is needed, and none was found." >&2
    echo "Install it (Debian: apt install python3 python3-venv), or set PYTHON to it." >&2
    return 1
}

venv="${OBJECT_DETECTION_VENV:-$PWD/.venv}"
# What is installed follows from this file alone.
wanted="$(cksum <setup.py)"
if [ "$(cat "$venv/.installed" 2>/dev/null)" != "$wanted" ]; then
    python="$(_find_python)"
    echo "Setting up $venv with $("$python" --version) (some minutes; most of it is TensorFlow) ..."
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    {
        "$venv/bin/python" -m pip install --disable-pip-version-check --upgrade pip &&
            "$venv/bin/python" -m pip install --disable-pip-version-check -e ".[dev]"
    } >"$venv/install.log" 2>&1 || {
        cat "$venv/install.log" >&2
        echo "Installing failed; what pip said stands above." >&2
        exit 1
    }
    echo "$wanted" >"$venv/.installed"
fi
export PATH="$venv/bin:$PATH"
