//! Path templates: `{collection}/{pairtree(name)}/{name}` and named values to a path.
//!
//! The result is text like any other path: whether it stays below its root is checked by whoever
//! opens it.

use sha2::{Digest as _, Sha256};

/// Most folders that a hash can be spread over, and most characters of each.
const MOST_PARTS: usize = 8;

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value { name: String, function: Function },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Function {
    Plain,
    Lower,
    Pairtree,
    /// SHA-256 in hexadecimal.
    Hash,
    /// The first digits of the same, as `levels` folders of `chars` digits.
    HashFolders {
        levels: usize,
        chars: usize,
    },
    Replace {
        from: String,
        to: String,
    },
}

impl Template {
    /// A template from its text; `{{` and `}}` stand for braces.
    ///
    /// # Errors
    ///
    /// The rule that the text breaks.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            pieces.push(Piece::Text(before.to_owned()));
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                let brace = if from.starts_with('{') { "{" } else { "}" };
                pieces.push(Piece::Text(brace.to_owned()));
                rest = after;
                continue;
            }
            let (inner, after) = from
                .strip_prefix('{')
                .and_then(|open| open.split_once('}'))
                .ok_or("must close every brace that it opens; write {{ and }} for braces")?;
            pieces.push(parse_value(inner)?);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }

    /// The names of the values that it uses.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Value { name, .. } => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The path for these values; `None` when one of them is missing.
    pub(super) fn expand<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
        let mut path = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => path.push_str(text),
                Piece::Value { name, function } => path.push_str(&function.apply(value(name)?)),
            }
        }
        Some(path)
    }
}

fn parse_value(text: &str) -> Result<Piece, String> {
    let Some((function, arguments)) = text.split_once('(') else {
        let name = parse_name(text)?;
        return Ok(Piece::Value {
            name,
            function: Function::Plain,
        });
    };
    let arguments = arguments
        .strip_suffix(')')
        .ok_or_else(|| format!("must close the parenthesis of {function}"))?;
    let arguments: Vec<_> = arguments.split(',').map(str::trim).collect();
    let (name, function) = match (function.trim(), arguments.as_slice()) {
        ("lower", [name]) => (name, Function::Lower),
        ("pairtree", [name]) => (name, Function::Pairtree),
        ("hash", [name]) => (name, Function::Hash),
        ("hash", [name, levels, chars]) => {
            let (levels, chars) = (parse_part(levels)?, parse_part(chars)?);
            (name, Function::HashFolders { levels, chars })
        }
        ("replace", [name, from, to]) if !unquoted(from).is_empty() => {
            let (from, to) = (unquoted(from).to_owned(), unquoted(to).to_owned());
            (name, Function::Replace { from, to })
        }
        (other, _) => {
            return Err(format!(
                "knows {other} not with these arguments; there are lower(name), pairtree(name), \
                 hash(name), hash(name,levels,chars) and replace(name,from,to)"
            ));
        }
    };
    Ok(Piece::Value {
        name: parse_name(name)?,
        function,
    })
}

fn parse_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_word) {
        return Err(format!(
            "must name a value of letters, digits and underscores, not \"{name}\""
        ));
    }
    Ok(name.to_owned())
}

fn parse_part(text: &str) -> Result<usize, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=MOST_PARTS).contains(number));
    number.ok_or_else(|| format!("must give hash levels and characters from 1 to {MOST_PARTS}"))
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'))
        .unwrap_or(text)
}

impl Function {
    fn apply(&self, value: &str) -> String {
        match self {
            Self::Plain => value.to_owned(),
            Self::Lower => value.to_lowercase(),
            Self::Pairtree => pairtree(value),
            Self::Hash => hash(value),
            Self::HashFolders { levels, chars } => {
                folders(hash(value).chars().take(levels * chars), *chars)
            }
            Self::Replace { from, to } => value.replace(from, to),
        }
    }
}

/// The pairtree path of `identifier`, without the folder that holds the object.
///
/// Source: Pairtrees for Object Storage (Kunze and others, 2008), sections 2 and 3.
fn pairtree(identifier: &str) -> String {
    let mut cleaned = String::with_capacity(identifier.len());
    for byte in identifier.bytes() {
        match byte {
            b'/' => cleaned.push('='),
            b':' => cleaned.push('+'),
            b'.' => cleaned.push(','),
            b'"' | b'*' | b'+' | b',' | b'<' | b'=' | b'>' | b'?' | b'\\' | b'^' | b'|' => {
                push_hex(&mut cleaned, byte);
            }
            0x21..=0x7e => cleaned.push(char::from(byte)),
            _ => push_hex(&mut cleaned, byte),
        }
    }
    folders(cleaned.chars(), 2)
}

fn push_hex(text: &mut String, byte: u8) {
    text.push('^');
    push_digits(text, byte);
}

fn push_digits(text: &mut String, byte: u8) {
    for digit in [byte >> 4, byte & 15] {
        text.extend(char::from_digit(u32::from(digit), 16));
    }
}

fn hash(value: &str) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(value.as_bytes()) {
        push_digits(&mut text, byte);
    }
    text
}

/// The characters as folders of `length` each; the last may be shorter.
fn folders(chars: impl Iterator<Item = char>, length: usize) -> String {
    let mut path = String::new();
    for (index, c) in chars.enumerate() {
        if index > 0 && index % length == 0 {
            path.push('/');
        }
        path.push(c);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(template: &str, value: &str) -> String {
        let template = Template::parse(template).expect("valid");
        template
            .expand(|name| (name == "n").then_some(value))
            .expect("known")
    }

    #[test]
    fn pairtree_paths_are_those_of_its_specification() {
        // The first three are the specification's own examples.
        let cases = [
            ("ark:/13030/xt12t3", "ar/k+/=1/30/30/=x/t1/2t/3"),
            (
                "http://n2t.info/urn:nbn:se:kb:repos-1",
                "ht/tp/+=/=n/2t/,i/nf/o=/ur/n+/nb/n+/se/+k/b+/re/po/s-/1",
            ),
            ("what-the-*@?#!^!?", "wh/at/-t/he/-^/2a/@^/3f/#!/^5/e!/^3/f"),
            (
                "ark:/12148/btv1b8449691v",
                "ar/k+/=1/21/48/=b/tv/1b/84/49/69/1v",
            ),
            ("a b", "a^/20/b"),
            ("é", "^c/3^/a9"),
            ("../x", ",,/=x"),
        ];
        for (identifier, path) in cases {
            assert_eq!(expand("{pairtree(n)}", identifier), path);
        }
    }

    #[test]
    fn hashes_are_sha_256() {
        // printf abc | sha256sum
        let whole = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(expand("{hash(n)}", "abc"), whole);
        assert_eq!(expand("{hash(n,2,2)}/{n}", "abc"), "ba/78/abc");
        assert_eq!(expand("{hash(n, 3, 1)}", "abc"), "b/a/7");
    }

    #[test]
    fn text_braces_and_functions_stand_side_by_side() {
        assert_eq!(expand("x/{n}-{lower(n)}.tif", "AbÉ"), "x/AbÉ-abé.tif");
        assert_eq!(expand("{{{n}}}", "a"), "{a}");
        assert_eq!(expand("{replace(n,:,_)}", "a:b:c"), "a_b_c");
        assert_eq!(expand("{replace(n,\"/\",\"\")}", "a/b"), "ab");
    }

    #[test]
    fn a_missing_value_gives_no_path() {
        let template = Template::parse("{a}/{b}").expect("valid");
        assert_eq!(template.expand(|name| (name == "a").then_some("x")), None);
        assert_eq!(template.names().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn malformed_templates_are_refused() {
        let wrong = [
            "{",
            "}",
            "{n",
            "n}",
            "{}",
            "{ }",
            "{n-m}",
            "{lower n}",
            "{lower(n}",
            "{lower()}",
            "{lower(n,1)}",
            "{hash(n,0,1)}",
            "{hash(n,1,9)}",
            "{hash(n,2)}",
            "{hash(n,a,b)}",
            "{replace(n,,x)}",
            "{sha(n)}",
        ];
        for text in wrong {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
