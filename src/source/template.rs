//! Path templates: what a pattern captured becomes a file's path.

use std::fmt::Write as _;

use regex::Captures;
use sha2::{Digest as _, Sha256};

/// A template, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Call(Function, String),
}

#[derive(Debug, Clone)]
enum Function {
    Itself,
    Lower,
    Pairtree,
    Hash { levels: usize, digits: usize },
    Replace { from: String, to: String },
}

impl Template {
    /// Takes `text` apart; its captures have to be among `known`.
    ///
    /// # Errors
    ///
    /// Words that say what is wrong.
    pub(super) fn parse(text: &str, known: &[&str]) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (call, after) = after
                .split_once('}')
                .ok_or_else(|| "has a { without a }".to_owned())?;
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Self::call(call, known)?);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }

    fn call(call: &str, known: &[&str]) -> Result<Piece, String> {
        let (function, arguments) = match call.split_once('(') {
            Some((name, arguments)) => {
                let arguments = arguments
                    .strip_suffix(')')
                    .ok_or_else(|| format!("{{{call}}} lacks its )"))?;
                (name.trim(), arguments.split(',').collect::<Vec<_>>())
            }
            None => ("", vec![call]),
        };
        let wrong =
            || format!("{{{call}}} is no function; there are lower, pairtree, hash, replace");
        let capture = arguments
            .first()
            .map(|name| name.trim())
            .unwrap_or_default();
        if !known.contains(&capture) {
            return Err(format!("{{{call}}} names no capture of the pattern"));
        }
        let number = |text: &&str| {
            text.trim()
                .parse::<usize>()
                .ok()
                .filter(|n| (1..=32).contains(n))
        };
        let function = match (function, arguments.get(1..).unwrap_or_default()) {
            ("", []) => Function::Itself,
            ("lower", []) => Function::Lower,
            ("pairtree", []) => Function::Pairtree,
            ("hash", [levels, digits]) => match (number(levels), number(digits)) {
                (Some(levels), Some(digits)) if levels * digits <= 64 => {
                    Function::Hash { levels, digits }
                }
                _ => {
                    return Err(format!(
                        "{{{call}}} needs levels and digits, 64 digits at most"
                    ));
                }
            },
            ("replace", [from, to]) if !from.is_empty() => Function::Replace {
                from: (*from).to_owned(),
                to: (*to).to_owned(),
            },
            _ => return Err(wrong()),
        };
        Ok(Piece::Call(function, capture.to_owned()))
    }

    /// The path for what was captured.
    pub(super) fn expand(&self, captures: &Captures<'_>) -> String {
        let mut path = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => path.push_str(text),
                Piece::Call(function, name) => {
                    let value = captures.name(name).map_or("", |found| found.as_str());
                    path.push_str(&function.apply(value));
                }
            }
        }
        path
    }
}

impl Function {
    fn apply(&self, value: &str) -> String {
        match self {
            Self::Itself => value.to_owned(),
            Self::Lower => value.to_lowercase(),
            Self::Pairtree => pairtree(value),
            Self::Hash { levels, digits } => hash(value, *levels, *digits),
            Self::Replace { from, to } => value.replace(from, to),
        }
    }
}

/// The folders of an identifier in a pairtree, without a folder for the object itself.
///
/// Source: Pairtrees for Object Storage 0.1, §3: first `^xx` for what file systems mind, then
/// `/` → `=`, `:` → `+`, `.` → `,`, then two characters a folder.
fn pairtree(identifier: &str) -> String {
    let mut clean = String::with_capacity(identifier.len());
    for byte in identifier.bytes() {
        match byte {
            b'/' => clean.push('='),
            b':' => clean.push('+'),
            b'.' => clean.push(','),
            b'"' | b'*' | b'+' | b',' | b'<' | b'=' | b'>' | b'?' | b'\\' | b'^' | b'|' => {
                // Writing to a string cannot fail.
                let _ = write!(clean, "^{byte:02x}");
            }
            0x21..=0x7e => clean.push(char::from(byte)),
            _ => {
                let _ = write!(clean, "^{byte:02x}");
            }
        }
    }
    let characters: Vec<char> = clean.chars().collect();
    let pairs: Vec<String> = characters
        .chunks(2)
        .map(|pair| pair.iter().collect())
        .collect();
    pairs.join("/")
}

/// The first digits of the SHA-256 of `value`, as `levels` folders of `digits` digits.
fn hash(value: &str, levels: usize, digits: usize) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(value.as_bytes()) {
        let _ = write!(hex, "{byte:02x}");
    }
    let characters: Vec<char> = hex.chars().collect();
    let folders: Vec<String> = characters
        .chunks(digits)
        .take(levels)
        .map(|folder| folder.iter().collect())
        .collect();
    folders.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    fn expand(pattern: &str, template: &str, identifier: &str) -> String {
        let pattern = Regex::new(pattern).expect("a pattern");
        let names: Vec<_> = pattern.capture_names().flatten().collect();
        let template = Template::parse(template, &names).expect("a template");
        template.expand(&pattern.captures(identifier).expect("it matches"))
    }

    #[test]
    fn an_ark_finds_its_place_in_a_pairtree() {
        let path = expand(
            "(?<id>ark:.*)",
            "pt/{pairtree(id)}/master.tif",
            "ark:/12148/btv1b",
        );
        assert_eq!(path, "pt/ar/k+/=1/21/48/=b/tv/1b/master.tif");
        // The examples of the specification, section 3.
        assert_eq!(
            pairtree("what-the-*@?#!^!?"),
            "wh/at/-t/he/-^/2a/@^/3f/#!/^5/e!/^3/f"
        );
    }

    #[test]
    fn a_hash_spreads_files_over_folders() {
        // sha256("abc") = ba7816bf…
        assert_eq!(
            expand("(?<n>.*)", "{hash(n,2,2)}/{n}.jp2", "abc"),
            "ba/78/abc.jp2"
        );
    }

    #[test]
    fn text_is_changed_as_told() {
        let template = "{lower(a)}-{replace(b,_,/)}.tif";
        assert_eq!(
            expand("(?<a>[A-Z]+)-(?<b>.*)", template, "MS-1_2_3"),
            "ms-1/2/3.tif"
        );
    }

    #[test]
    fn a_wrong_template_says_what_is_wrong() {
        for wrong in [
            "{a",
            "{b}",
            "{upper(a)}",
            "{hash(a)}",
            "{hash(a,9,9)}",
            "{lower(a}",
            "{replace(a,,x)}",
        ] {
            assert!(Template::parse(wrong, &["a"]).is_err(), "{wrong}");
        }
    }
}
