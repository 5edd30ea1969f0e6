//! `kms-mcp policy explain`: what becomes of one call, and why.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::super::Failure;
use super::in_force;
use crate::anchor::{Anchors, check_program};
use crate::config::Config;
use crate::env::Env;
use crate::factor::enrolled;
use crate::guard::policy::{
    Effect, Explained, Facts, InForce, Limit, Matched, Per, Question, Unsure, Words,
};
use crate::json::printable;
use crate::text::escaped_lines;

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    /// KMS action
    #[arg(long)]
    action: String,
    /// Name or ARN of the secret
    #[arg(long)]
    secret: Option<String>,
    /// Region the call goes to
    #[arg(long)]
    region: Option<String>,
    /// Where the value goes: mask, file, person or agent
    #[arg(long)]
    destination: Option<String>,
    /// Where the value comes from: inline, env, file, generate or person
    #[arg(long)]
    source: Option<String>,
    /// Type of the secret
    #[arg(long = "type", value_name = "TYPE")]
    secret_type: Option<String>,
    /// A tag of the secret; may be given more than once
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    tags: Vec<String>,
    /// The secret is known to have no tags
    #[arg(long, conflicts_with = "tags")]
    untagged: bool,
    /// Account the call goes to
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// What the client calls itself
    #[arg(long)]
    client: Option<String>,
    /// Risk of this very call: inspect, write, reveal or destroy
    #[arg(long)]
    risk: Option<String>,
    /// Policy to ask [default: the one of config.toml]
    #[arg(long, value_name = "NAME|PATH")]
    policy: Option<String>,
    /// A second policy; the stricter verdict stands [default: that of the environment]
    #[arg(long, value_name = "NAME|PATH")]
    second: Option<String>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(flags: Flags, env: &Env) -> Result<ExitCode, Failure> {
    let policy = in_force(flags.policy.as_deref(), flags.second.as_deref(), env)?;
    let question = Question::read(Words {
        action: flags.action,
        risk: flags.risk,
        secret: flags.secret,
        region: flags.region,
        account: flags.account,
        destination: flags.destination,
        source: flags.source,
        secret_type: flags.secret_type,
        tags: flags.tags,
        untagged: flags.untagged,
        client: flags.client,
    })
    .map_err(Failure)?;
    let anchors = anchors(env)?;
    let facts = question.facts();
    let explained = policy.explain(&facts);
    let mut out = std::io::stdout().lock();
    if flags.json {
        let answer = as_json(&policy, &facts, question.assumed(), &explained, anchors);
        writeln!(out, "{}", printable(&answer))?;
    } else {
        let text = as_text(&policy, &facts, question.assumed(), &explained);
        write!(out, "{}", escaped_lines(&text))?;
        writeln!(out, "anchored  {anchors}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What of a server that starts here lies outside the reach of its user.
fn anchors(env: &Env) -> Result<Anchors, Failure> {
    Ok(Anchors {
        settings: Config::load(env)?.is_anchored,
        approver: enrolled()?.is_some(),
        program: check_program().is_ok(),
    })
}

/// The facts that this call has, by name; an unknown one is `None`.
fn named(facts: &Facts<'_>) -> Vec<(&'static str, Option<String>)> {
    let known = |text: &str| (text != "*").then(|| text.to_owned());
    let mut list = vec![
        ("Action", known(facts.action)),
        ("Risk", known(facts.risk.name())),
        ("Region", known(facts.region)),
        ("Account", facts.account.map(str::to_owned)),
        ("Client", known(facts.client)),
    ];
    if !facts.secret.is_empty() {
        list.push(("Secret", known(facts.secret)));
        list.push(("Type", facts.secret_type.map(str::to_owned)));
        let tags = |tags: &[(String, String)]| {
            let tags: Vec<String> =
                tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
            if tags.is_empty() { "none".to_owned() } else { tags.join(", ") }
        };
        list.push(("Tags", facts.tags.map(tags)));
    }
    list.extend(facts.destination.map(|place| ("Destination", known(place.name()))));
    list.extend(facts.source.map(|source| ("Source", known(source))));
    list
}

fn as_text(
    policy: &InForce,
    facts: &Facts<'_>,
    assumed: &[String],
    explained: &Explained,
) -> String {
    let Explained { verdict, unsure, reads_description } = explained;
    let mut lines = Vec::new();
    let (known, unknown): (Vec<_>, Vec<_>) =
        named(facts).into_iter().partition(|(_, fact)| fact.is_some());
    let known: Vec<String> = known
        .into_iter()
        .filter_map(|(name, fact)| Some(format!("{} {}", name.to_lowercase(), fact?)))
        .collect();
    lines.push(format!("call      {}", known.join(", ")));
    if !unknown.is_empty() {
        let names: Vec<String> = unknown.iter().map(|(name, _)| name.to_lowercase()).collect();
        lines.push(format!("not said  {}", names.join(", ")));
    }
    if !assumed.is_empty() {
        lines.push(format!("assumed   {}", assumed.join(", ")));
    }
    lines.push(format!("policy    {}", policy.name()));
    lines.push(format!("verdict   {} by the rule `{}`", verdict.effect, verdict.rule));
    lines.push(format!("because   {}", verdict.reason));
    if let Effect::Deny { instead: Some(instead) } = &verdict.effect {
        lines.push(format!("instead   {instead}"));
    }
    for Limit { kind, per, per_hour, then } in &verdict.limits {
        let on = match per {
            Per::Rule => "",
            Per::Secret => " on this secret",
        };
        lines.push(format!(
            "limit     {} once {per_hour} calls of `{kind}`{on} were made within an hour",
            then.name()
        ));
    }
    for Matched { policy, rule, effect, reason, sure } in &verdict.matched {
        let sure = if *sure { "" } else { " (not known, so it holds)" };
        lines.push(format!("matched   {effect} `{rule}` of {policy}{sure}: {reason}"));
    }
    for Unsure { policy, rule, effect, condition, holds } in unsure {
        let counts =
            if *holds { "it counts as if it did" } else { "it allows nothing until that is known" };
        lines.push(format!(
            "hangs on  {effect} `{rule}` of {policy} matches if {condition}; {counts}"
        ));
    }
    if *reads_description {
        lines.push(
            "reads     type and tags, by DescribeSecret, before the verdict; if they cannot be read, it stays as above"
                .to_owned(),
        );
    }
    lines.push(String::new());
    lines.join("\n")
}

fn as_json(
    policy: &InForce,
    facts: &Facts<'_>,
    assumed: &[String],
    explained: &Explained,
    anchors: Anchors,
) -> Value {
    let Explained { verdict, unsure, reads_description } = explained;
    let instead = match &verdict.effect {
        Effect::Deny { instead } => instead.clone(),
        Effect::Allow(_) => None,
    };
    let call: serde_json::Map<String, Value> =
        named(facts).into_iter().map(|(name, fact)| (name.to_owned(), json!(fact))).collect();
    let limits: Vec<Value> = verdict
        .limits
        .iter()
        .map(|limit| {
            let per = match limit.per {
                Per::Rule => "rule",
                Per::Secret => "secret",
            };
            json!({ "Kind": limit.kind, "Per": per, "PerHour": limit.per_hour, "Then": limit.then.name() })
        })
        .collect();
    let matched: Vec<Value> = verdict
        .matched
        .iter()
        .map(|one| {
            json!({ "Policy": one.policy, "Rule": one.rule, "Says": one.effect.name(),
                    "Reason": one.reason, "Sure": one.sure })
        })
        .collect();
    let unsure: Vec<Value> = unsure
        .iter()
        .map(|one| {
            json!({ "Policy": one.policy, "Rule": one.rule, "Says": one.effect.name(),
                    "MatchesIf": one.condition, "CountsUntilKnown": one.holds })
        })
        .collect();
    json!({
        "Call": call,
        "Assumed": assumed,
        "Policy": policy.name(),
        "PolicyDigest": policy.digest(),
        "Verdict": verdict.effect.name(),
        "Rule": verdict.rule,
        "Reason": verdict.reason,
        "Instead": instead,
        "Limits": limits,
        "Matched": matched,
        "HangsOn": unsure,
        "ReadsDescription": reads_description,
        "Anchored": { "Settings": anchors.settings, "Approver": anchors.approver,
                      "ProgramOf": anchors.owner_of_program() },
    })
}
