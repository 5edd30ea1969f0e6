//! Tables of verdicts.

use super::{call, create, parse, reveal, shipped};
use crate::guard::policy::action::ACTIONS;
use crate::guard::policy::verdict::{Limit, Per};
use crate::guard::policy::{Effect, Facts, InForce, Level, Policy, SHIPPED};
use crate::operation::{Destination, Risk};

#[test]
fn every_shipped_policy_says_what_the_table_says() {
    use Destination::{Agent, File, Mask, Person};
    let production = |destination| Facts { secret: "prod/db", ..reveal(destination) };
    // In the order of `SHIPPED`.
    let table: [(&str, Facts<'_>, [&str; 5]); 19] = [
        ("list", call("ListSecrets", Risk::Inspect), ["none", "none", "none", "none", "none"]),
        (
            "describe",
            call("DescribeSecret", Risk::Inspect),
            ["none", "none", "none", "none", "none"],
        ),
        (
            "policy",
            call("GetSecretPolicy", Risk::Inspect),
            ["none", "none", "none", "none", "none"],
        ),
        ("to mask", reveal(Mask), ["token", "deny", "token", "token", "deny"]),
        ("to file", reveal(File), ["person", "deny", "person", "pin", "deny"]),
        ("to person", reveal(Person), ["person", "deny", "person", "pin", "deny"]),
        ("to agent", reveal(Agent), ["person", "deny", "person", "pin", "deny"]),
        ("prod to agent", production(Agent), ["person", "deny", "person", "deny", "deny"]),
        ("prod to file", production(File), ["person", "deny", "person", "pin", "deny"]),
        ("rotate", call("RotateSecret", Risk::Write), ["none", "deny", "deny", "none", "none"]),
        ("create from env", create("env", "Generic"), ["none", "deny", "deny", "none", "none"]),
        ("create inline", create("inline", "Generic"), ["none", "deny", "deny", "deny", "none"]),
        (
            "keys from file",
            create("file", "RAMCredentials"),
            ["none", "deny", "deny", "none", "none"],
        ),
        (
            "keys inline",
            create("inline", "RAMCredentials"),
            ["deny", "deny", "deny", "deny", "deny"],
        ),
        (
            "soft delete",
            call("DeleteSecret", Risk::Write),
            ["none", "deny", "deny", "none", "none"],
        ),
        (
            "force delete",
            call("DeleteSecret", Risk::Destroy),
            ["person", "deny", "deny", "pin", "deny"],
        ),
        (
            "set policy",
            call("SetSecretPolicy", Risk::Destroy),
            ["person", "deny", "deny", "pin", "deny"],
        ),
        (
            "set policy, called a write",
            call("SetSecretPolicy", Risk::Write),
            ["person", "deny", "deny", "pin", "deny"],
        ),
        (
            "key for another account",
            call("CreateKey", Risk::Destroy),
            ["person", "deny", "deny", "pin", "deny"],
        ),
    ];
    for (what, facts, expected) in &table {
        for (name, expected) in SHIPPED.iter().zip(expected) {
            let verdict = shipped(name).judge(facts);
            assert_eq!(verdict.effect.name(), *expected, "{what}, {name}: {verdict:?}");
            assert!(!verdict.reason.is_empty());
        }
    }
}

#[test]
fn a_refused_inline_value_says_what_to_do_instead() {
    for name in ["default", "hardened"] {
        let verdict = shipped(name).judge(&create("inline", "RAMCredentials"));
        let Effect::Deny { instead: Some(instead) } = verdict.effect else { panic!("{name}") };
        assert!(instead.contains("SecretDataSource"));
    }
}

#[test]
fn a_soft_delete_is_counted_and_nothing_else_is() {
    let verdict = shipped("default").judge(&call("DeleteSecret", Risk::Write));
    let limit =
        Limit { kind: "soft-delete".into(), per: Per::Rule, per_hour: 10, then: Level::Person };
    assert_eq!(verdict.limits, [limit]);
    assert_eq!(shipped("default").judge(&call("RestoreSecret", Risk::Write)).limits, []);
    assert_eq!(shipped("read-only").judge(&call("DeleteSecret", Risk::Write)).limits, []);
}

#[test]
fn a_reached_limit_raises_the_level_and_two_policies_keep_both() {
    let rule =
        |id: &str, effect: &str| format!("rule = [{{ id = \"{id}\", {effect}, reason = \"r\" }}]");
    let loose = rule("a", "allow = true, limit = { per_hour = 2, then = \"pin\" }");
    let strict = rule("b", "confirm = \"token\", limit = { per_hour = 5, then = \"person\" }");
    let same = rule("a", "allow = true, limit = { per_hour = 1, then = \"person\" }");
    let delete = call("DeleteSecret", Risk::Write);

    let verdict = InForce::new(parse(&loose), Some(parse(&strict))).judge(&delete);
    let after =
        |a: u32, b: u32| verdict.effect_after(|limit| if limit.kind == "a" { a } else { b });
    assert_eq!(after(1, 4), Effect::Allow(Level::Token));
    assert_eq!(after(1, 5), Effect::Allow(Level::Person));
    assert_eq!(after(2, 0), Effect::Allow(Level::Pin));
    assert_eq!(after(9, 9), Effect::Allow(Level::Pin));

    // One kind is one counter: the two become one limit that is stricter than both.
    let verdict = InForce::new(parse(&loose), Some(parse(&same))).judge(&delete);
    let joined = Limit { kind: "a".into(), per: Per::Rule, per_hour: 1, then: Level::Pin };
    assert_eq!(verdict.limits, [joined]);

    // Calls on each secret are counted apart from all calls.
    let each =
        rule("a", "allow = true, limit = { per_hour = 1, then = \"person\", per = \"secret\" }");
    let verdict = InForce::new(parse(&loose), Some(parse(&each))).judge(&delete);
    assert_eq!(
        verdict.limits.iter().map(|limit| limit.per).collect::<Vec<_>>(),
        [Per::Rule, Per::Secret]
    );

    let denied = InForce::new(parse(&loose), Some(parse(&rule("d", "deny = true")))).judge(&delete);
    assert_eq!(denied.limits, []);
    assert!(denied.effect_after(|_| 0).is_deny());
}

#[test]
fn tools_whose_every_call_is_denied_are_not_listed() {
    let listed = |name: &str| -> Vec<&str> {
        let policy = shipped(name);
        let all = Risk::Inspect..=Risk::Destroy;
        ACTIONS.iter().map(|a| a.name).filter(|name| policy.lists(name, all.clone())).collect()
    };
    let inspect: Vec<&str> =
        ACTIONS.iter().filter(|a| a.risks == [Risk::Inspect]).map(|a| a.name).collect();
    assert_eq!(listed("metadata-only"), inspect);
    assert_eq!(listed("default").len(), ACTIONS.len());
    assert_eq!(listed("hardened").len(), ACTIONS.len());
    assert_eq!(listed("read-only").len(), inspect.len() + 1);
    assert!(listed("read-only").contains(&"GetSecretValue"));
    assert!(!listed("ci").contains(&"GetSecretValue"));
    assert!(!listed("ci").contains(&"SetSecretPolicy"));
    assert!(listed("ci").contains(&"DeleteSecret"));
    assert!(!shipped("default").lists("NoSuchAction", Risk::Inspect..=Risk::Destroy));
    assert!(!shipped("ci").lists("DeleteSecret", Risk::Destroy..=Risk::Destroy));

    let both = InForce::new(shipped("default"), Some(shipped("metadata-only")));
    assert!(!both.lists("GetSecretValue", Risk::Inspect..=Risk::Destroy));
    assert!(both.lists("ListSecrets", Risk::Inspect..=Risk::Destroy));
}

#[test]
fn a_tool_with_one_secret_left_is_listed() {
    let policy = parse(
        r#"rule = [
            { id = "a", action = ["GetSecretValue"], secret = ["dev/*"], tag = ["a=b"], confirm = "pin", reason = "r" },
            { id = "b", action = ["GetSecretValue"], except = { secret = ["dev/*"] }, deny = true, reason = "r" },
            { id = "c", action = ["ListSecrets"], secret = ["dev/*"], allow = true, reason = "r" },
            { id = "d", risk = ["write"], client = ["*"], confirm = "pin", reason = "r" },
        ]"#,
    );
    let all = Risk::Inspect..=Risk::Destroy;
    assert!(policy.lists("GetSecretValue", all.clone()));
    assert!(!policy.lists("ListSecrets", all.clone()), "it is about no secret");
    assert!(!policy.lists("RotateSecret", all), "a claimed name grants nothing");
}

#[test]
fn ci_can_be_extended_with_files_and_not_with_more() {
    let policy = Policy::parse(
        r#"
        version = 1
        extends = "ci"
        [[rule]]
        id = "deploy"
        action = ["GetSecretValue"]
        secret = ["ci/*"]
        confirm = "token"
        reason = "The deployment reads its own secrets."
        "#,
        "ci.toml",
    )
    .unwrap();
    let to = |destination| policy.judge(&Facts { secret: "ci/db", ..reveal(destination) }).effect;
    assert_eq!(to(Destination::File), Effect::Allow(Level::Token));
    assert!(to(Destination::Agent).is_deny());
    assert!(to(Destination::Person).is_deny());
    assert!(policy.judge(&reveal(Destination::File)).effect.is_deny());
}

#[test]
fn extending_keeps_what_is_not_dropped_and_changes_the_digest() {
    let text = r#"
        version = 1
        extends = "default"
        drop = ["reveal"]
        rule = [{ id = "mine", action = ["GetSecretValue"], confirm = "pin", reason = "r" }]
    "#;
    let policy = Policy::parse(text, "mine").unwrap();
    assert_eq!(policy.judge(&reveal(Destination::File)).effect, Effect::Allow(Level::Pin));
    assert_eq!(policy.judge(&call("RotateSecret", Risk::Write)).effect, Effect::Allow(Level::None));
    assert!(policy.rule_ids().all(|id| id != "reveal"));
    let digests = [
        policy.digest(),
        Policy::parse(&text.replace("pin", "person"), "mine").unwrap().digest(),
        shipped("default").digest(),
        InForce::new(shipped("default"), None).digest(),
        InForce::new(shipped("default"), Some(shipped("ci"))).digest(),
        InForce::new(shipped("ci"), Some(shipped("default"))).digest(),
    ];
    assert!(digests.iter().all(|digest| digest.len() == 64));
    let distinct: std::collections::HashSet<_> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len());
    assert_eq!(shipped("default").digest(), shipped("default").digest());
}

#[test]
fn a_description_is_read_only_where_the_verdict_hangs_on_it() {
    let policy = parse(
        r#"rule = [
            { id = "all", allow = true, reason = "r" },
            { id = "prod", action = ["DeleteSecret", "DescribeSecret"], tag = ["env=prod"], deny = true, reason = "r" },
            { id = "no", secret = ["never/*"], deny = true, reason = "r" },
        ]"#,
    );
    let unread = Facts { tags: None, secret_type: None, ..call("DeleteSecret", Risk::Write) };
    assert!(policy.needs_description(&unread));
    assert!(!policy.needs_description(&Facts { action: "RotateSecret", ..unread }));
    assert!(!policy.needs_description(&Facts { tags: Some(&[]), ..unread }));
    assert!(!policy.needs_description(&Facts { secret: "never/x", ..unread }));
    assert!(!policy.needs_description(&Facts { action: "ListSecrets", secret: "", ..unread }));

    let verdict = policy.judge(&unread);
    assert!(verdict.effect.is_deny());
    assert!(verdict.reason.contains("cannot be read"), "{}", verdict.reason);
    let describe = Facts { action: "DescribeSecret", risk: Risk::Inspect, ..unread };
    assert!(policy.judge(&describe).effect.is_deny());
    assert_eq!(policy.judge_description(&describe).effect, Effect::Allow(Level::None));
    let hidden = Facts { secret: "never/x", ..describe };
    assert!(policy.judge_description(&hidden).effect.is_deny());
}

#[test]
fn each_matcher_matches_what_it_names_and_nothing_else() {
    let tags = [("env".to_owned(), "prod".to_owned()), ("empty".to_owned(), String::new())];
    let base = Facts {
        tags: Some(&tags),
        destination: Some(Destination::File),
        source: Some("inline"),
        ..call("GetSecretValue", Risk::Reveal)
    };
    for (matcher, hits) in [
        (r#"action = ["GetSecretValue"]"#, true),
        (r#"action = ["PutSecretValue", "CreateSecret"]"#, false),
        (r#"risk = ["write", "reveal"]"#, true),
        (r#"risk = ["destroy"]"#, false),
        (r#"secret = ["team/*"]"#, true),
        (r#"secret = ["other", "{a,team}/d?"]"#, true),
        (r#"secret = ["team", "Team/*", "*/d"]"#, false),
        (r#"region = ["cn-*"]"#, true),
        (r#"region = ["ap-*"]"#, false),
        (r#"account = ["1000000000000000"]"#, true),
        (r#"account = ["2*"]"#, false),
        (r#"tag = ["env=prod"]"#, true),
        (r#"tag = ["x=y", "e*=p?od"]"#, true),
        (r#"tag = ["empty="]"#, true),
        (r#"tag = ["env="]"#, false),
        (r#"tag = ["env=pro"]"#, false),
        (r#"tag = ["empty=prod"]"#, false),
        (r#"type = ["Generic", "ECS"]"#, true),
        (r#"type = ["ECS"]"#, false),
        (r#"destination = ["agent", "file"]"#, true),
        (r#"destination = ["mask"]"#, false),
        (r#"source = ["inline"]"#, true),
        (r#"source = ["env", "person"]"#, false),
        (r#"client = ["some-*"]"#, true),
        (r#"client = ["other"]"#, false),
        // All of them must hold.
        (r#"risk = ["reveal"], secret = ["team/*"], region = ["cn-*"]"#, true),
        (r#"risk = ["reveal"], secret = ["team/*"], region = ["ap-*"]"#, false),
        (r#"secret = ["team/*"], except = { secret = ["team/x"] }"#, true),
        (r#"secret = ["team/*"], except = { secret = ["*/db"], region = ["ap-*"] }"#, true),
        (r#"secret = ["team/*"], except = { secret = ["*/db"], region = ["cn-*"] }"#, false),
    ] {
        let policy = parse(&format!(
            r#"rule = [
                {{ id = "base", allow = true, reason = "r" }},
                {{ id = "it", {matcher}, deny = true, reason = "r" }},
            ]"#
        ));
        let verdict = policy.judge(&base);
        assert_eq!(verdict.effect.is_deny(), hits, "{matcher}");
        assert_eq!(verdict.rule, if hits { "it" } else { "base" });
        assert_eq!(verdict.matched.len(), if hits { 2 } else { 1 });
    }
}

#[test]
fn the_strictest_of_the_matching_rules_wins_whatever_the_order() {
    let rules = [
        ("none", "allow = true"),
        ("token", "confirm = \"token\""),
        ("client", "confirm = \"client\""),
        ("person", "confirm = \"person\""),
        ("pin", "confirm = \"pin\""),
        ("deny", "deny = true"),
    ];
    for (at, (weak, weak_effect)) in rules.iter().enumerate() {
        for (strong, strong_effect) in rules.iter().skip(at + 1) {
            let weak_rule = format!("{{ id = \"{weak}\", {weak_effect}, reason = \"r\" }}");
            let strong_rule = format!("{{ id = \"{strong}\", {strong_effect}, reason = \"r\" }}");
            for pair in
                [format!("{weak_rule}, {strong_rule}"), format!("{strong_rule}, {weak_rule}")]
            {
                let policy = parse(&format!("rule = [{pair}]"));
                assert_eq!(policy.judge(&call("RotateSecret", Risk::Write)).rule, *strong);
            }
        }
    }
}
