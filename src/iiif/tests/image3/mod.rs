//! Image API 3.0.

mod answer;
mod canonical;
mod info;
mod limits;
mod path;
mod region;
mod size;
mod vectors;

use super::*;

const V3: Version = Version::V3;

fn size(token: &str, rules: &SizeRules) -> Dimensions {
    size_of(V3, token, dimensions(300, 200), rules).expect(token)
}

fn assert_bad_v3(path: &str, parameter: Parameter) {
    assert_bad(V3, path, &PLAIN, parameter);
}

fn assert_bad_sizes(tokens: &[&str], rules: &SizeRules) {
    for token in tokens {
        assert_bad(
            V3,
            &format!("full/{token}/0/default.jpg"),
            rules,
            Parameter::Size,
        );
    }
}

fn assert_not_implemented(token: &str, rules: &SizeRules) {
    let path = format!("full/{token}/0/default.jpg");
    let expected = (ErrorKind::NotImplemented, Some(Parameter::Size));
    assert_eq!(refusal(V3, &path, rules), expected, "{token}");
}

/// Checks one accepted row of the table of test vectors; "same" stands for the request itself.
fn assert_vector(
    rules: &SizeRules,
    path: &str,
    expected_region: Region,
    expected: (u32, u32),
    canonical: &str,
) {
    let resolved = resolve(V3, path, rules).expect(path);
    assert_eq!(resolved.region, expected_region, "{path}");
    assert_eq!(resolved.size, dimensions(expected.0, expected.1), "{path}");
    let canonical = if canonical == "same" { path } else { canonical };
    assert_eq!(resolved.canonical, canonical, "{path}");
}

const FULL: Region = Region {
    x: 0,
    y: 0,
    width: 300,
    height: 200,
};
