#!/bin/sh
# Restore: deploy/restore.sh FILE MEDIA_FOLDER into the EMPTY database of ANSHAO_DATABASE_URL and the folder of ANSHAO_MEDIA_URL.
# Stop all processes first (systemctl stop anshao.target). Nothing that exists is overwritten.
set -eu
folder_of() { python3 -c 'import sys, urllib.parse; print(urllib.parse.unquote(sys.argv[1].removeprefix("file://")))' "$1"; }
file=${1:?usage: restore.sh FILE MEDIA_FOLDER}
photos=${2:?usage: restore.sh FILE MEDIA_FOLDER}
url=${ANSHAO_DATABASE_URL:?ANSHAO_DATABASE_URL is not set}
media=${ANSHAO_MEDIA_URL:-}
case $url in
postgresql*)
    plain="postgresql://${url#*://}"
    tables=$(psql "$plain" -Atc "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")
    if [ "$tables" != 0 ]; then
        echo "restore.sh: the database is not empty; create a new one and set ANSHAO_DATABASE_URL to it" >&2
        exit 1
    fi
    pg_restore --exit-on-error --single-transaction --no-owner --dbname="$plain" "$file"
    ;;
sqlite:///*)
    target=${url#sqlite:///}
    if [ -e "$target" ]; then
        echo "restore.sh: $target exists; move it away first" >&2
        exit 1
    fi
    cp "$file" "$target"
    ;;
*)
    echo "restore.sh: unknown kind of database" >&2
    exit 2
    ;;
esac
case $media in
file://*)
    mkdir -p "$(folder_of "$media")"
    cp -Rpu "$photos/." "$(folder_of "$media")/"
    ;;
esac
echo "restored; now run: flask --app app db upgrade && flask --app app audit verify && flask --app app doctor"
