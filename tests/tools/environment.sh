# environment NAME PACKAGE...: a virtual environment of Python with these packages below target/, as $python;
# the first run fetches them.
environment() {
  local folder=target/$1
  shift
  if [ "$(cat "$folder/packages" 2>/dev/null)" != "$*" ]; then
    rm -rf "$folder"
    /usr/bin/python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
    echo "$*" >"$folder/packages"
  fi
  python=$folder/bin/python
}
