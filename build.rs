//! Builds the C side of the JPEG scan-line interface against the library in the build.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
}
