# The formula `libolm`, on moceril. With the source tarball beside this file, in a tap:
#
#     brew install --build-from-source libolm-moceril
#
# Not built here.
class LibolmMoceril < Formula
  desc "Library libolm, on moceril"
  url "file://#{__dir__}/moceril-@VERSION@.tar.xz"
  version "@VERSION@"
  sha256 "@SHA256@"
  license any_of: ["Apache-2.0", "MIT"]

  depends_on "rust" => :build

  conflicts_with "libolm", because: "both install the library libolm"

  def install
    # The tarball has the crates, and the setting that makes Cargo use them.
    system "cargo", "build", "--release", "--locked", "--offline", "--package", "moceril-libolm", "--lib"
    system "sh", "compat/libolm/install.sh", "PREFIX=#{prefix}", "MANDIR=#{man}"
    pkgshare.install "compat/libolm/examples/conversation.c"
  end

  test do
    system ENV.cc, "-o", "conversation", pkgshare/"conversation.c", "-I#{include}", "-L#{lib}", "-lolm",
           "-Wl,-rpath,#{lib}"
    assert_match "Bob reads: Hello Bob", shell_output("./conversation")
  end
end
