//! Every way to write a policy wrongly.

use crate::guard::policy::Policy;
use crate::guard::policy::error::PolicyError;

/// The line, the place and the words of the refusal.
fn refusal(text: &str) -> (usize, String, String) {
    match Policy::parse(text, "p.toml") {
        Err(error @ PolicyError::Invalid { .. }) => {
            assert!(error.to_string().starts_with("policy `p.toml`, line "), "{error}");
            let PolicyError::Invalid { line, place, what, .. } = error else { unreachable!() };
            (line, place, what)
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("not refused: {text}"),
    }
}

#[test]
fn a_bad_document_is_refused_with_line_and_key() {
    let rule = "[[rule]]\nid = \"a\"\nallow = true\nreason = \"r\"\n";
    for (text, line, place, what) in [
        (format!("version = 1\n\nrule = [\n{rule}"), 5, "TOML", ""),
        (format!("version = 1\nversion = 1\n{rule}"), 2, "TOML", "duplicate"),
        (rule.to_owned(), 1, "key `version`", "missing"),
        (format!("# two\nversion = 2\n{rule}"), 2, "key `version`", "must be 1"),
        (format!("version = \"1\"\n{rule}"), 1, "key `version`", "must be 1"),
        (format!("version = 1\nextend = \"ci\"\n{rule}"), 2, "key `extend`", "known here: version"),
        ("version = 1\n\n[[rules]]\nid = \"a\"\n".to_owned(), 3, "key `rules`", "unknown key"),
        ("version = 1".to_owned(), 1, "key `rule`", "missing"),
        ("version = 1\nrule = []".to_owned(), 2, "key `rule`", "empty list"),
        ("version = 1\nrule = [1]".to_owned(), 2, "key `rule`", "must be a table"),
        ("version = 1\nextends = \"none\"".to_owned(), 2, "key `extends`", "metadata-only"),
        ("version = 1\ndrop = [\"x\"]".to_owned(), 2, "key `drop`", "extends"),
        (
            "version = 1\nextends = \"ci\"\ndrop = [\n  \"destroy\",\n  \"x\",\n]".to_owned(),
            5,
            "key `drop`",
            "no rule `x`; left are inspect",
        ),
        (format!("version = 1\n{rule}{rule}"), 7, "key `id` of `rule`", "`a` is taken"),
        (
            "version = 1\nextends = \"ci\"\n[[rule]]\nid = \"destroy\"\nallow = true\nreason = \"r\"\n".to_owned(),
            4,
            "key `id` of `rule`",
            "`destroy` is taken",
        ),
    ] {
        let (at, key, words) = refusal(&text);
        assert_eq!((at, key.as_str()), (line, place), "{words}: {text}");
        assert!(words.contains(what), "{words}");
    }
}

/// What follows a good name and reason, the place of the refusal, and some of its words.
const BAD_RULES: &[(&str, &str, &str)] = &[
    ("allow = true\nid = \"b\"", "TOML", "duplicate"),
    ("allow = true\nactions = [\"CreateKey\"]", "key `actions` of `rule`", "unknown key"),
    ("\n", "key `allow` of `rule`", "missing"),
    ("allow = false", "key `allow` of `rule`", "only be true"),
    ("deny = 1", "key `deny` of `rule`", "not integer"),
    ("allow = true\ndeny = true", "key `deny` of `rule`", "exactly one"),
    ("confirm = \"persn\"", "key `confirm` of `rule`", "token, client, person, pin"),
    ("confirm = \"none\"", "key `confirm` of `rule`", "allow = true"),
    ("confirm = true", "key `confirm` of `rule`", "must be a string"),
    ("allow = true\ninstead = \"x\"", "key `instead` of `rule`", "only with `deny`"),
    ("deny = true\ninstead = \"\"", "key `instead` of `rule`", "1 to 200"),
    ("deny = true\nlimit = { per_hour = 1, then = \"pin\" }", "key `limit` of `rule`", "no limit"),
    (
        "allow = true\nlimit = { per_hour = 0, then = \"pin\" }",
        "key `per_hour` of `limit`",
        "from 1",
    ),
    (
        "allow = true\nlimit = { per_hour = -1, then = \"pin\" }",
        "key `per_hour` of `limit`",
        "from 1",
    ),
    ("allow = true\nlimit = { then = \"pin\" }", "key `per_hour` of `limit`", "missing"),
    ("allow = true\nlimit = { per_hour = 1 }", "key `then` of `limit`", "missing"),
    (
        "allow = true\nlimit = { per_hour = 1, then = \"deny\" }",
        "key `then` of `limit`",
        "not a level",
    ),
    (
        "confirm = \"pin\"\nlimit = { per_hour = 1, then = \"pin\" }",
        "key `then` of `limit`",
        "above",
    ),
    (
        "allow = true\nlimit = { per_hour = 1, then = \"pin\", x = 1 }",
        "key `x` of `limit`",
        "unknown key",
    ),
    ("allow = true\naction = \"CreateKey\"", "key `action` of `rule`", "must be a list"),
    ("allow = true\naction = []", "key `action` of `rule`", "empty list"),
    ("allow = true\naction = [\"GetSecret\"]", "key `action` of `rule`", "GetSecretValue"),
    ("allow = true\naction = [\"Get*\"]", "key `action` of `rule`", "no KMS action"),
    ("allow = true\nrisk = [\"high\"]", "key `risk` of `rule`", "inspect, write, reveal, destroy"),
    ("allow = true\ntype = [\"rds\"]", "key `type` of `rule`", "Rds"),
    ("allow = true\ndestination = [\"stdout\"]", "key `destination` of `rule`", "mask"),
    ("allow = true\nsource = [\"url\"]", "key `source` of `rule`", "inline"),
    ("allow = true\nsecret = [\"a[\"]", "key `secret` of `rule`", "glob"),
    ("allow = true\nsecret = [\"\"]", "key `secret` of `rule`", "1 to 256"),
    ("allow = true\nsecret = [1]", "key `secret` of `rule`", "must be a string"),
    ("allow = true\ntag = [\"env\"]", "key `tag` of `rule`", "key=value"),
    ("allow = true\ntag = [\"=x\"]", "key `tag` of `rule`", "pattern"),
    ("allow = true\nclient = [\"x\"]", "key `client` of `rule`", "only tighten"),
    ("deny = true\nexcept = { client = [\"x\"] }", "key `client` of `except`", "exception"),
    ("deny = true\nexcept = {}", "key `except` of `rule`", "empty"),
    ("deny = true\nexcept = { secret = [] }", "key `secret` of `except`", "empty list"),
    ("deny = true\nexcept = { id = \"x\" }", "key `id` of `except`", "unknown key"),
    ("deny = true\nexamples = []", "key `examples` of `rule`", "empty list"),
    ("deny = true\nexamples = [{ secret = \"a\" }]", "key `expect` of `examples`", "missing"),
    ("deny = true\nexamples = [{ expect = \"ask\" }]", "key `expect` of `examples`", "deny"),
    ("deny = true\nexamples = [{ expect = \"pin\" }]", "key `expect` of `examples`", "says `deny`"),
    (
        "deny = true\nexamples = [{ expect = \"deny\", name = \"x\" }]",
        "key `name` of `examples`",
        "unknown key",
    ),
    (
        "deny = true\nexamples = [{ expect = \"deny\", action = \"CreateKey\", risk = \"inspect\" }]",
        "key `examples` of `rule`",
        "no action has",
    ),
];

#[test]
fn a_bad_rule_is_refused_with_line_and_key() {
    for (line, place, what) in BAD_RULES {
        let text = format!("version = 1\n[[rule]]\nid = \"a\"\nreason = \"r\"\n{line}\n");
        let (at, key, words) = refusal(&text);
        assert_eq!(key, *place, "{words}: {text}");
        assert!(words.contains(what), "{words}: {text}");
        let expected = match line.lines().count() {
            _ if words.starts_with("missing") && key.ends_with("`rule`") => 3,
            2 => 6,
            _ => 5,
        };
        assert_eq!(at, expected, "{words}: {text}");
    }
}

#[test]
fn a_rule_without_a_good_name_and_reason_is_refused() {
    let long = "x".repeat(201);
    for (head, place) in [
        ("reason = \"r\"".to_owned(), "key `id` of `rule`"),
        ("id = \"a b\"\nreason = \"r\"".to_owned(), "key `id` of `rule`"),
        ("id = \"default-deny\"\nreason = \"r\"".to_owned(), "key `id` of `rule`"),
        ("id = \"a\"".to_owned(), "key `reason` of `rule`"),
        ("id = \"a\"\nreason = \"\"".to_owned(), "key `reason` of `rule`"),
        ("id = \"a\"\nreason = \"a\\nb\"".to_owned(), "key `reason` of `rule`"),
        (format!("id = \"a\"\nreason = \"{long}\""), "key `reason` of `rule`"),
    ] {
        let text = format!("version = 1\n[[rule]]\n{head}\nallow = true\n");
        assert_eq!(refusal(&text).1, place, "{text}");
    }
}

#[test]
fn a_refusal_shows_no_control_characters_and_not_too_much() {
    let long = "k".repeat(5000);
    for key in ["a\\u001b]52;c;x\\u0007", long.as_str()] {
        let (_, place, what) = refusal(&format!("version = 1\n\"{key}\" = 1\n"));
        assert!(!place.chars().any(char::is_control), "{place:?}");
        assert!(place.len() < 200 && what.len() < 800, "{place}");
    }
}
