//! [`Scope`]: which part of the cloud a RAM policy is about.

/// Region, account, names and key; `*` or nothing where it is not narrowed.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    region: String,
    account: String,
    prefix: String,
    key: String,
}

impl Scope {
    /// What is given, each checked: it must not turn into another part of an ARN.
    pub(crate) fn new(
        region: Option<&str>,
        account: Option<&str>,
        prefix: Option<&str>,
        key: Option<&str>,
    ) -> Result<Self, String> {
        let of = |name: &str, text: Option<&str>, allowed: fn(u8) -> bool, what: &str| {
            let Some(text) = text.filter(|text| *text != "*") else { return Ok("*".to_owned()) };
            if text.is_empty() || text.len() > 192 || !text.bytes().all(allowed) {
                return Err(format!("--{name} must be {what}"));
            }
            Ok(text.to_owned())
        };
        let region_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let name_byte = |b: u8| b.is_ascii_alphanumeric() || b"_/+=.-@".contains(&b);
        let key_byte = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
        let prefix = of("prefix", prefix, name_byte, "the start of secret names, without a `*`")?;
        Ok(Self {
            region: of("region", region, region_byte, "a region id such as cn-hangzhou")?,
            account: of("account", account, |b| b.is_ascii_digit(), "an account id, of digits")?,
            prefix: if prefix == "*" { String::new() } else { prefix },
            key: of("key", key, key_byte, "a key id such as key-hzz…")?,
        })
    }

    fn arn(&self, resource: &str) -> String {
        format!("acs:kms:{}:{}:{resource}", self.region, self.account)
    }

    /// The secrets of these names that begin with the prefix; none that another one covers.
    pub(super) fn secrets(&self, names: &[String]) -> Vec<String> {
        let mut within: Vec<String> = names.iter().filter_map(|name| self.within(name)).collect();
        within.sort_unstable();
        within.dedup();
        let all = within.clone();
        within.retain(|name| !all.iter().any(|other| other != name && covers(other, name)));
        within.iter().map(|name| self.arn(&format!("secret/{name}"))).collect()
    }

    /// The part of the names that begins with the prefix.
    fn within(&self, name: &str) -> Option<String> {
        let literal = name.split(['*', '?']).next().unwrap_or_default();
        if literal.starts_with(&self.prefix) {
            Some(name.to_owned())
        } else if literal.len() < name.len() && self.prefix.starts_with(literal) {
            Some(format!("{}*", self.prefix))
        } else {
            None
        }
    }

    /// What creating and listing is checked against: no name can narrow it.
    pub(super) fn all_secrets(&self) -> String {
        self.arn("secret")
    }

    /// The same of keys.
    pub(super) fn all_keys(&self) -> String {
        self.arn("key")
    }

    /// The key that encrypts the secrets.
    pub(super) fn key(&self) -> String {
        self.arn(&format!("key/{}", self.key))
    }
}

/// Whether every name that matches `name` also matches `pattern`; only where that is plain.
fn covers(pattern: &str, name: &str) -> bool {
    pattern
        .strip_suffix('*')
        .is_some_and(|start| !start.contains(['*', '?']) && name.starts_with(start))
}

/// A glob as RAM knows them, which has only `*` and `?`: the rest is widened.
pub(super) fn widened(glob: &str) -> String {
    match glob.split_once(['[', '{', '\\']) {
        Some((start, _)) => format!("{start}*"),
        None => glob.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Scope, widened};

    #[test]
    fn names_are_cut_to_the_prefix_and_what_another_covers_is_left_out() {
        let names = |prefix, names: &[&str]| {
            let scope = Scope::new(Some("r-1"), Some("1"), prefix, None).unwrap();
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            scope.secrets(&names)
        };
        let arn = |name: &str| format!("acs:kms:r-1:1:secret/{name}");
        assert_eq!(names(None, &["*", "dev/*"]), [arn("*")]);
        assert_eq!(names(None, &["dev/*", "dev/db", "b"]), [arn("b"), arn("dev/*")]);
        assert_eq!(names(Some("team/"), &["*"]), [arn("team/*")]);
        assert_eq!(names(Some("team/"), &["t*", "team/a/*", "x/*"]), [arn("team/*")]);
        assert_eq!(names(Some("team/"), &["team/a"]), [arn("team/a")]);
        assert_eq!(names(Some("team/"), &["x/*", "team"]), Vec::<String>::new());
        assert_eq!(names(Some("team/"), &["*-db"]), [arn("team/*")]);
    }

    #[test]
    fn what_ram_does_not_know_is_widened() {
        assert_eq!(widened("a?/*"), "a?/*");
        assert_eq!(widened("a{b,c}/d"), "a*");
        assert_eq!(widened("[ab]"), "*");
    }

    #[test]
    fn no_argument_becomes_another_part_of_the_arn() {
        for bad in ["cn:1:*", "cn hangzhou", "CN", ""] {
            assert!(Scope::new(Some(bad), None, None, None).is_err(), "{bad}");
        }
        for bad in ["team/*", "a:b", "a\"b", ""] {
            assert!(Scope::new(None, None, Some(bad), None).is_err(), "{bad}");
        }
        assert!(Scope::new(None, Some("1x"), None, None).is_err());
        assert!(Scope::new(None, None, None, Some("key/*")).is_err());
        assert!(Scope::new(Some("*"), Some("*"), Some("*"), Some("*")).is_ok());
    }
}
