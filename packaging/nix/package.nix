# The package `olm` of Nixpkgs, on moceril. With the source tarball beside this file:
#
#     nix-build -E 'with import <nixpkgs> { }; callPackage ./package.nix { }'
#
# To build programs with it, give them `olm = callPackage ./package.nix { }`. Not built here.
{ lib, stdenv, cargo, rustc }:

stdenv.mkDerivation {
  pname = "olm-moceril";
  version = "@VERSION@";
  src = ./moceril-@VERSION@.tar.xz;
  nativeBuildInputs = [ cargo rustc ];

  # The tarball has the crates, and the setting that makes Cargo use them.
  buildPhase = ''
    runHook preBuild
    CARGO_HOME=$TMPDIR/cargo cargo build --release --locked --offline -p moceril-libolm --lib
    runHook postBuild
  '';
  doCheck = true;
  checkPhase = ''
    CARGO_HOME=$TMPDIR/cargo cargo test --release --locked --offline -p moceril-libolm
  '';
  installPhase = ''
    runHook preInstall
    sh compat/libolm/install.sh PREFIX=$out
    runHook postInstall
  '';

  meta = {
    description = "The library libolm.so.3, on moceril";
    license = with lib.licenses; [ asl20 mit ];
    platforms = lib.platforms.unix;
  };
}
