//! `kms-mcp schemas`: what `tools/list` says of each tool, one file each, checked in.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::Failure;
use super::generated::Generated;
use crate::mcp::tools;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Change nothing; fail if a file is missing, differs, or belongs to no tool
    #[arg(long)]
    check: bool,
    /// Folder of the files
    #[arg(long, value_name = "DIR", default_value = "tool-schemas")]
    dir: PathBuf,
}

pub(super) fn run(flags: &Flags) -> Result<ExitCode, Failure> {
    let mut files = Vec::new();
    for tool in tools() {
        let text = format!("{}\n", serde_json::to_string_pretty(&tool.listed)?);
        files.push((format!("{}.json", tool.listed.name), text));
    }
    let folder = Generated {
        command: "kms-mcp schemas",
        dir: &flags.dir,
        others: Some("json"),
        is_ours: Some(is_ours),
    };
    folder.run(&files, flags.check)
}

/// The description of the tool that the file is named after, with the answer of this program: other
/// servers have tools of the same names.
fn is_ours(file: &str, text: &str) -> bool {
    const ENVELOPE: [&str; 7] =
        ["Status", "Result", "Outcome", "Confirmation", "Error", "RequestId", "Notes"];
    serde_json::from_str(text).is_ok_and(|tool: Value| {
        let answer = tool.pointer("/outputSchema/properties").and_then(Value::as_object);
        tool.get("inputSchema").is_some()
            && tool.get("name").and_then(Value::as_str) == file.strip_suffix(".json")
            && answer.is_some_and(|members| {
                members.len() == ENVELOPE.len()
                    && ENVELOPE.iter().all(|member| members.contains_key(*member))
            })
    })
}
