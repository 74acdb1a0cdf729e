#!/bin/sh
# Become the server, for supervisord: read the environment as root, make what a unit of systemd would have made, and go on as the user "vllm"
# without a right that could be won back. Arguments: name of the server, its environment file, home, cache, and the command.
set -eu
name=$1 environment=$2 home=$3 cache=$4
shift 4
install --directory --owner=vllm --group=vllm --mode=0755 "/run/$name" "$home" "$cache"
set -a
. "$environment"
set +a
# As many open files and as much locked memory as the container may have.
for limit in nofile memlock; do
    most=$(prlimit --pid $$ --noheadings --raw --output HARD "--$limit")
    prlimit --pid $$ "--$limit=$most:$most"
done
cd "$home"
echo "gpuops: $name begins"
exec setpriv --reuid=vllm --regid=vllm --init-groups --no-new-privs --inh-caps=-all --bounding-set=-all -- "$@"
