//! Builds the C side of the JPEG scan-line interface against the library in the build.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(any(feature = "turbojpeg", feature = "mozjpeg"))]
    scan_lines::build();
}

#[cfg(any(feature = "turbojpeg", feature = "mozjpeg"))]
mod scan_lines {
    use std::env;
    use std::path::PathBuf;

    /// Compiles `scan.c` with the headers that the library's own build publishes.
    pub(crate) fn build() {
        let folder = "src/codec/jpeg/ffi";
        for file in ["scan.c", "scan.h"] {
            println!("cargo:rerun-if-changed={folder}/{file}");
        }
        cc::Build::new()
            .file(format!("{folder}/scan.c"))
            .includes(includes())
            .std("c11")
            .warnings(true)
            .extra_warnings(true)
            .compile("triforium_scan");
    }

    #[cfg(feature = "turbojpeg")]
    fn includes() -> Vec<PathBuf> {
        published("DEP_TURBOJPEG_INCLUDE")
            .split(',')
            .map(PathBuf::from)
            .collect()
    }

    #[cfg(not(feature = "turbojpeg"))]
    fn includes() -> Vec<PathBuf> {
        env::split_paths(&published("DEP_JPEG_INCLUDE")).collect()
    }

    fn published(name: &str) -> String {
        env::var(name).expect("the library's build script publishes its headers")
    }
}
