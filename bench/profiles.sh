#!/usr/bin/env bash
# Compares release profiles: the size of the binary, and sign-ins per second as `bin/bench sign-in` measures them. Nearly
# all of that time is hashing. Run it on an idle machine.
#
#   bench/profiles.sh              compares all profiles
#   bench/profiles.sh thin fat     compares two of them
#
# Builds each profile in target/profiles/NAME, so the first run takes a long time. Needs Rust and Linux.
set -euo pipefail
cd "$(dirname "$0")/.."

# Panics unwind in all profiles, because the panic of a request handler or a job is caught.
profile() {
  export CARGO_PROFILE_RELEASE_OPT_LEVEL=3 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 RUSTFLAGS=
  case $1 in
    plain) ;;
    thin) CARGO_PROFILE_RELEASE_LTO=thin CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 ;;
    fat) CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 ;;
    small) CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 CARGO_PROFILE_RELEASE_OPT_LEVEL=s ;;
    # For processors since about 2015 (AVX2). Such a binary does not start on older ones.
    thin-v3) CARGO_PROFILE_RELEASE_LTO=thin CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 RUSTFLAGS=-Ctarget-cpu=x86-64-v3 ;;
    *) echo "bench/profiles.sh: unknown profile: $1" >&2; exit 64 ;;
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
  # portico-bench fails if it misses a target. Some profiles do, and the table shows that.
  bench=(target/release/portico-bench sign-in --binary "$binary")
  output=$(PORTICO_SERVICES_DURABLE=1 bin/services run -- "${bench[@]}" 2>/dev/null || true)
  rate() { awk -v cost="N=2^$1" '$1 == "sign-ins," && $2 == cost { sub("/s", "", $3); print $3 }' <<<"$output"; }
  size=$(stat -c %s "$binary" | awk '{ print $1 / 1048576 }')
  printf '| %s | %.1f | %s | %s |\n' "$name" "$size" "$(rate 14)" "$(rate 17)"
done
