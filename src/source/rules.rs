//! A root's rule: an identifier → the paths that it may name there, in order.

use regex::Regex;

use super::config::RootConfig;
use super::path::InnerPath;
use super::template::Template;
use crate::error::ConfigError;

/// A rule, checked.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    form: Form,
    extensions: Vec<String>,
}

#[derive(Debug, Clone)]
enum Form {
    Affixes { prefix: String, suffix: String },
    Pattern { pattern: Regex, template: Template },
}

/// A path that an identifier may name, and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) path: InnerPath,
    pub(super) rule: String,
}

impl Rule {
    /// The rule of `root`.
    ///
    /// # Errors
    ///
    /// The key, within the root's, that breaks its rule.
    pub(super) fn new(root: &RootConfig) -> Result<Self, ConfigError> {
        let form = if root.pattern.is_empty() {
            if !root.template.is_empty() {
                return Err(ConfigError::new("template", "needs a pattern beside it"));
            }
            Form::Affixes {
                prefix: root.prefix.clone(),
                suffix: root.suffix.clone(),
            }
        } else {
            Self::pattern(root)?
        };
        Ok(Self {
            form,
            extensions: root.extensions.clone(),
        })
    }

    fn pattern(root: &RootConfig) -> Result<Form, ConfigError> {
        if !root.prefix.is_empty() || !root.suffix.is_empty() {
            return Err(ConfigError::new(
                "pattern",
                "stands instead of prefix and suffix",
            ));
        }
        let whole = format!("^(?:{})$", root.pattern);
        let pattern = Regex::new(&whole).map_err(|cause| {
            let words = cause.to_string();
            let why = words.lines().last().unwrap_or_default();
            ConfigError::new("pattern", format!("must be a regular expression: {why}"))
        })?;
        let names: Vec<&str> = pattern.capture_names().flatten().collect();
        let template = Template::parse(&root.template, &names)
            .map_err(|words| ConfigError::new("template", words))?;
        Ok(Form::Pattern { pattern, template })
    }

    /// The paths that `identifier` may name, in the order in which they are tried.
    pub(super) fn candidates(&self, identifier: &str) -> Vec<Candidate> {
        let Some((path, rule)) = self.expand(identifier) else {
            return Vec::new();
        };
        let with_extensions = self.extensions.iter().map(|extension| {
            (
                format!("{path}.{extension}"),
                format!("{rule}, extension {extension}"),
            )
        });
        std::iter::once((path.clone(), rule.clone()))
            .chain(with_extensions)
            .filter_map(|(path, rule)| Some((InnerPath::new(&path)?, rule)))
            .flat_map(|(path, rule)| {
                let spellings = path.spellings();
                spellings.into_iter().map(move |path| Candidate {
                    path,
                    rule: rule.clone(),
                })
            })
            .collect()
    }

    fn expand(&self, identifier: &str) -> Option<(String, String)> {
        match &self.form {
            Form::Affixes { prefix, suffix } => {
                let rest = identifier.strip_prefix(prefix.as_str())?;
                let words = match (prefix.as_str(), suffix.as_str()) {
                    ("", "") => "path".to_owned(),
                    (prefix, "") => format!("prefix {prefix}"),
                    ("", suffix) => format!("suffix {suffix}"),
                    (prefix, suffix) => format!("prefix {prefix}, suffix {suffix}"),
                };
                Some((format!("{rest}{suffix}"), words))
            }
            Form::Pattern { pattern, template } => {
                let captures = pattern.captures(identifier)?;
                Some((template.expand(&captures), "pattern".to_owned()))
            }
        }
    }

    /// The identifier that names the file at `path`, where the rule can be turned around.
    pub(super) fn identifier_of(&self, path: &str) -> Option<String> {
        match &self.form {
            Form::Affixes { prefix, suffix } => {
                let rest = path.strip_suffix(suffix.as_str())?;
                Some(format!("{prefix}{rest}"))
            }
            Form::Pattern { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(root: &RootConfig, identifier: &str) -> Vec<String> {
        let rule = Rule::new(root).expect("a rule");
        rule.candidates(identifier)
            .into_iter()
            .map(|candidate| candidate.path.as_path().to_str().expect("text").to_owned())
            .collect()
    }

    fn root() -> RootConfig {
        RootConfig {
            extensions: vec!["tif".to_owned(), "jp2".to_owned()],
            ..RootConfig::default()
        }
    }

    #[test]
    fn a_name_is_tried_as_it_is_and_with_extensions() {
        assert_eq!(paths(&root(), "a/b"), ["a/b", "a/b.tif", "a/b.jp2"]);
        assert!(paths(&root(), "../b").is_empty());
    }

    #[test]
    fn prefix_and_suffix_select_and_complete() {
        let root = RootConfig {
            prefix: "maps:".to_owned(),
            suffix: ".tif".to_owned(),
            extensions: Vec::new(),
            ..RootConfig::default()
        };
        assert_eq!(paths(&root, "maps:7"), ["7.tif"]);
        assert!(paths(&root, "7").is_empty());
        let rule = Rule::new(&root).expect("a rule");
        assert_eq!(rule.identifier_of("7.tif"), Some("maps:7".to_owned()));
        assert_eq!(rule.identifier_of("7.jp2"), None);
    }

    #[test]
    fn a_pattern_has_to_match_the_whole_identifier() {
        let root = RootConfig {
            pattern: r"ms-(?<n>\d+)".to_owned(),
            template: "manuscripts/{n}.tif".to_owned(),
            extensions: Vec::new(),
            ..RootConfig::default()
        };
        assert_eq!(paths(&root, "ms-12"), ["manuscripts/12.tif"]);
        assert!(paths(&root, "xms-12").is_empty());
        assert!(paths(&root, "ms-12a").is_empty());
    }

    #[test]
    fn a_template_cannot_leave_the_root() {
        let root = RootConfig {
            pattern: "(?<n>.*)".to_owned(),
            template: "a/{n}".to_owned(),
            extensions: Vec::new(),
            ..RootConfig::default()
        };
        assert!(paths(&root, "../../etc/passwd").is_empty());
    }
}
