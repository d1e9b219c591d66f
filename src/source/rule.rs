//! How one root's identifiers name its files: prefix, pattern, template, suffix and extensions.
//!
//! Pure: turns an identifier into paths to try, and a listed file back into its identifier.

use regex::{Captures, Regex, RegexBuilder};

use super::config::RootConfig;
use super::path::forms;
use super::template::Template;
use crate::error::ConfigError;

/// Largest compiled pattern, in bytes: a setting that is larger is a mistake.
const PATTERN_BYTES: usize = 1 << 20;

/// The template value that stands for the identifier without its prefix.
const WHOLE: &str = "identifier";

/// A root's rule, compiled.
#[derive(Debug)]
pub(super) struct Rule {
    prefix: String,
    suffix: String,
    /// First the empty one, then each with its dot.
    endings: Vec<String>,
    pattern: Option<Regex>,
    template: Option<Template>,
}

impl Rule {
    /// The rule of `config`. An error's key is the field alone.
    ///
    /// # Errors
    ///
    /// When the pattern or the template is malformed, or the template uses what nothing captures.
    pub(super) fn new(config: &RootConfig) -> Result<Self, ConfigError> {
        let pattern = stated(&config.pattern).map(compile).transpose()?;
        let refuse = |rule: String| ConfigError::new("template", rule);
        let template = stated(&config.template)
            .map(Template::parse)
            .transpose()
            .map_err(refuse)?;
        let captured = |name: &str| {
            let mut names = pattern
                .iter()
                .flat_map(|pattern| pattern.capture_names().flatten());
            name == WHOLE || names.any(|known| known == name)
        };
        if let Some(name) = template
            .iter()
            .flat_map(Template::names)
            .find(|name| !captured(name))
        {
            return Err(refuse(format!(
                "uses {name}, which the pattern does not capture"
            )));
        }
        Ok(Self {
            prefix: config.prefix.clone(),
            suffix: config.suffix.clone(),
            endings: endings(&config.extensions),
            pattern,
            template,
        })
    }

    /// The path that `identifier` names, without its ending; `None` when the identifier belongs to
    /// another root.
    pub(super) fn base(&self, identifier: &str) -> Option<String> {
        let rest = identifier.strip_prefix(&self.prefix)?;
        let captures = match &self.pattern {
            Some(pattern) => Some(pattern.captures(identifier)?),
            None => None,
        };
        let mut base = match &self.template {
            Some(template) => template.expand(|name| value(captures.as_ref(), rest, name))?,
            None => rest.to_owned(),
        };
        base.push_str(&self.suffix);
        Some(base)
    }

    /// Every identifier that is known to name the file that `identifier` names here with `ending`, in
    /// all normal forms. `path` is where the file lies, links resolved; where a template makes paths it
    /// counts as a name, since what else names the file cannot be told.
    pub(super) fn names(&self, identifier: &str, ending: &str, path: Option<&str>) -> Vec<String> {
        let mut names = vec![identifier.to_owned()];
        let asked = (self.base(identifier)).map(|base| format!("{base}{ending}"));
        for path in asked.as_deref().into_iter().chain(path) {
            if self.template.is_some() {
                names.push(path.to_owned());
                continue;
            }
            let bare = self.endings.iter().filter_map(|ending| {
                path.strip_suffix(ending.as_str())?
                    .strip_suffix(&self.suffix)
            });
            names.extend(bare.map(|rest| format!("{}{rest}", self.prefix)));
        }
        let mut names: Vec<_> = names.iter().flat_map(|name| forms(name)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// What may follow a base, in the order in which it is tried.
    pub(super) fn endings(&self) -> &[String] {
        &self.endings
    }

    /// The words for `info`: how the file with this ending was found.
    pub(super) fn describe(&self, ending: &str) -> String {
        let way = match (&self.pattern, &self.template) {
            (_, Some(_)) => "by template",
            (Some(_), None) => "by pattern",
            (None, None) => "by name",
        };
        if ending.is_empty() {
            way.to_owned()
        } else {
            format!("{way}, with {ending} added")
        }
    }

    /// Whether files can be turned back into identifiers.
    pub(super) fn is_invertible(&self) -> bool {
        self.pattern.is_none() && self.template.is_none()
    }

    /// Whether identifiers are the files' own paths after the prefix.
    pub(super) fn keeps_names(&self) -> bool {
        self.suffix.is_empty()
    }

    /// Whether every identifier may name a file here: nothing marks the root's own.
    pub(super) fn takes_all(&self) -> bool {
        self.prefix.is_empty() && self.pattern.is_none()
    }

    /// What every identifier of this root begins with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The part of a file's path below the root that, after the prefix, is its identifier.
    pub(super) fn inverse<'a>(&self, path: &'a str) -> Option<&'a str> {
        self.endings
            .iter()
            .filter_map(|ending| {
                path.strip_suffix(ending.as_str())?
                    .strip_suffix(&self.suffix)
            })
            .find(|rest| !rest.is_empty() && !rest.ends_with('/'))
    }
}

fn stated(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn compile(pattern: &str) -> Result<Regex, ConfigError> {
    let build = |text: &str| RegexBuilder::new(text).size_limit(PATTERN_BYTES).build();
    // The pattern has to be whole by itself, or its parentheses could open the anchors.
    build(pattern)
        .and_then(|_| build(&format!(r"\A(?:{pattern})\z")))
        .map_err(|cause| {
            ConfigError::new("pattern", format!("must be a regular expression: {cause}"))
        })
}

fn endings(extensions: &[String]) -> Vec<String> {
    let dotted = extensions.iter().map(|extension| format!(".{extension}"));
    std::iter::once(String::new()).chain(dotted).collect()
}

fn value<'a>(captures: Option<&Captures<'a>>, rest: &'a str, name: &str) -> Option<&'a str> {
    match captures.and_then(|captures| captures.name(name)) {
        Some(found) => Some(found.as_str()),
        None => (name == WHOLE).then_some(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(change: impl FnOnce(&mut RootConfig)) -> Rule {
        let mut config = RootConfig::default();
        change(&mut config);
        Rule::new(&config).expect("valid")
    }

    #[test]
    fn a_prefix_selects_and_is_stripped_and_a_suffix_is_added() {
        let rule = rule(|config| {
            config.prefix = "maps/".to_owned();
            config.suffix = "_master".to_owned();
        });
        assert_eq!(rule.base("maps/a/b").as_deref(), Some("a/b_master"));
        assert_eq!(rule.base("map/a"), None);
    }

    #[test]
    fn a_pattern_holds_for_the_whole_identifier() {
        let rule = rule(|config| {
            config.pattern = "(?P<year>[0-9]{4})-(?P<number>[0-9]+)".to_owned();
            config.template = "{year}/{number}/{identifier}".to_owned();
        });
        assert_eq!(rule.base("1999-12").as_deref(), Some("1999/12/1999-12"));
        for other in ["x1999-12", "1999-12x", "1999-12\n", "1999"] {
            assert_eq!(rule.base(other), None, "{other:?}");
        }
    }

    #[test]
    fn alternatives_of_a_pattern_are_anchored_together() {
        let rule = rule(|config| config.pattern = "a|b".to_owned());
        assert_eq!(rule.base("ax"), None);
        assert_eq!(rule.base("xb"), None);
        assert_eq!(rule.base("b").as_deref(), Some("b"));
    }

    #[test]
    fn a_capture_that_took_no_part_gives_no_path() {
        let rule = rule(|config| {
            config.pattern = "a(?P<n>b)?".to_owned();
            config.template = "{n}".to_owned();
        });
        assert_eq!(rule.base("a"), None);
        assert_eq!(rule.base("ab").as_deref(), Some("b"));
    }

    #[test]
    fn a_file_has_all_its_names() {
        let plain = rule(|config| config.extensions = vec!["tif".to_owned(), "jpg".to_owned()]);
        assert_eq!(plain.names("a", ".tif", None), ["a", "a.tif"]);
        assert_eq!(plain.names("a.tif", "", None), ["a", "a.tif"]);
        let linked = plain.names("link", "", Some("b/real.jpg"));
        assert_eq!(linked, ["b/real", "b/real.jpg", "link"]);
        assert_eq!(plain.names("\u{e9}", "", None), ["e\u{301}", "\u{e9}"]);
        let moved = rule(|config| {
            config.prefix = "maps/".to_owned();
            config.suffix = "_m".to_owned();
            config.extensions = vec!["tif".to_owned()];
        });
        assert_eq!(moved.names("maps/a", ".tif", Some("a_m.tif")), ["maps/a"]);
        let made = rule(|config| config.template = "{lower(identifier)}".to_owned());
        assert_eq!(made.names("A", ".tif", Some("a.tif")), ["A", "a.tif"]);
    }

    #[test]
    fn what_is_listed_resolves_to_its_file() {
        let plain = rule(|_| {});
        let suffixed = rule(|config| config.suffix = "_m".to_owned());
        let narrow = rule(|config| {
            config.suffix = "_m".to_owned();
            config.extensions = vec!["tif".to_owned()];
        });
        let cases = [
            (&plain, "a/b.tif", Some("a/b.tif")),
            (&suffixed, "a/b_m.tif", Some("a/b")),
            (&suffixed, "a/b_m", Some("a/b")),
            (&suffixed, "a/b.tif", None),
            (&suffixed, "a/_m.tif", None),
            (&narrow, "a_m.tif", Some("a")),
            (&narrow, "a_m.jp2", None),
            (&narrow, "_m.tif", None),
        ];
        for (rule, path, identifier) in cases {
            assert_eq!(rule.inverse(path), identifier, "{path}");
            if let Some(identifier) = identifier {
                let base = rule.base(identifier).expect("its own");
                let mut tried = rule
                    .endings()
                    .iter()
                    .map(|ending| format!("{base}{ending}"));
                assert!(tried.any(|tried| tried == path), "{path}");
            }
        }
    }
}
