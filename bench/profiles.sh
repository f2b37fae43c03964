#!/usr/bin/env bash
# Compares release profiles: size of the binary, and sign-ins a second as `bin/bench sign-in` measures them, which is almost
# all hashing. Run it on a quiet machine.
#
#   bench/profiles.sh              all of them
#   bench/profiles.sh thin fat     some
#
# Each is built into target/profiles/NAME, so the first run takes long. Needs Rust and Linux.
set -euo pipefail
cd "$(dirname "$0")/.."

# Panics unwind in all of them: a handler's is caught.
profile() {
  export CARGO_PROFILE_RELEASE_OPT_LEVEL=3 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 RUSTFLAGS=
  case $1 in
    plain) ;;
    thin) CARGO_PROFILE_RELEASE_LTO=thin CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 ;;
    fat) CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 ;;
    small) CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 CARGO_PROFILE_RELEASE_OPT_LEVEL=s ;;
    # Processors since about 2015 (AVX2): what such a build gains, and it does not start on older ones.
    thin-v3) CARGO_PROFILE_RELEASE_LTO=thin CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 RUSTFLAGS=-Ctarget-cpu=x86-64-v3 ;;
    *) echo "bench/profiles.sh: no profile $1" >&2; exit 64 ;;
  esac
}

(($# > 0)) || set -- plain thin fat small thin-v3
for name; do
  (profile "$name" && cargo build --quiet --release --locked --bin portico --target-dir "target/profiles/$name")
done

cargo build --quiet --release --locked --package portico-bench
printf '| profile | binary, MiB | sign-ins/s, N=2^14 | sign-ins/s, N=2^17 |\n|---|--:|--:|--:|\n'
for name; do
  binary=target/profiles/$name/release/portico
  # The figure misses its mark with some of them, which is what this is to show.
  said=$(PORTICO_SERVICES_DURABLE=1 bin/services run -- target/release/portico-bench sign-in --binary "$binary" 2>/dev/null || true)
  rate() { awk -v cost="N=2^$1" '$1 == "sign-ins," && $2 == cost { sub("/s", "", $3); print $3 }' <<<"$said"; }
  printf '| %s | %.1f | %s | %s |\n' "$name" "$(stat -c %s "$binary" | awk '{ print $1 / 1048576 }')" "$(rate 14)" "$(rate 17)"
done
