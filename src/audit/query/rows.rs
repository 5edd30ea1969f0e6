//! [`Rows`]: records joined into calls. An intent is one row with its result, or without.

use std::collections::{HashMap, HashSet, VecDeque};

use jiff::Timestamp;

use super::line::Line;
use super::merge::{Item, Merge, Trouble};

/// Bytes of records that are held back for a call that stays open. In memory they take more, up to
/// 40 times as much if somebody meant them to.
const HELD: usize = 4 * 1024 * 1024;

/// One call, or one event that belongs to none.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The record it begins with, then those that close it.
    lines: Vec<Line>,
}

/// What a row tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Story {
    /// A request that was let through.
    Call,
    /// A call that was answered with a question.
    Asked,
    /// A call that was refused.
    Refused,
    /// A person's yes.
    Approved,
    /// A person's no.
    Denied,
    /// A call that was answered without a request of its own.
    Answered,
    /// Anything else: `start`, `stop`, `lockout` …
    Other,
}

/// What came of a call that was let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// KMS did it.
    Done,
    /// KMS refused, or the value was dropped; nothing changed.
    Failed,
    /// It may or may not have been carried out.
    Unknown,
}

impl Row {
    /// When it began.
    pub(crate) fn time(&self) -> Timestamp {
        self.lines.first().map_or(Timestamp::UNIX_EPOCH, Line::time)
    }

    /// Its records, as they came.
    pub(crate) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The event it begins with.
    pub(crate) fn event(&self) -> &str {
        self.lines.first().map_or("", Line::event)
    }

    /// The text at a path, in the first record that has one.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.text(path))
    }

    /// The integer at a path, in the first record that has one.
    pub(crate) fn integer(&self, path: &str) -> Option<i64> {
        self.lines.iter().find_map(|line| line.integer(path))
    }

    /// What it tells of.
    pub(crate) fn story(&self) -> Story {
        // A person decides in a process that makes no calls.
        match (self.event(), self.text("call").is_some()) {
            ("intent", _) => Story::Call,
            ("challenge", _) => Story::Asked,
            ("denied", true) => Story::Refused,
            ("denied", false) => Story::Denied,
            ("approved", _) => Story::Approved,
            ("result" | "aborted", _) => Story::Answered,
            _ => Story::Other,
        }
    }

    /// What came of it. A row that is no call has no outcome.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        let closing = match self.story() {
            Story::Call => self.lines.get(1),
            Story::Answered => self.lines.first(),
            Story::Asked | Story::Refused | Story::Approved | Story::Denied | Story::Other => {
                return None;
            }
        };
        Some(match closing {
            Some(line) if line.event() == "result" => match line.text("outcome") {
                Some("unknown") => Outcome::Unknown,
                Some("failed") => Outcome::Failed,
                Some(_) => Outcome::Done,
                // A value that was dropped: it has a code and no outcome.
                None if line.text("code").is_some() => Outcome::Failed,
                None => Outcome::Unknown,
            },
            _ => Outcome::Unknown,
        })
    }

    /// `allow`, `ask`, `refuse`, or `approve` for a person's yes.
    pub(crate) fn decision(&self) -> Option<&str> {
        match self.story() {
            Story::Asked => Some("ask"),
            Story::Refused | Story::Denied => Some("refuse"),
            Story::Approved => Some("approve"),
            Story::Call | Story::Answered | Story::Other => self.text("decision"),
        }
    }

    /// The secret, by name; its ARN is cut to that.
    pub(crate) fn secret(&self) -> Option<&str> {
        self.text("resource.name").map(secret_name)
    }

    /// The call it is about, unique in all files: the process and its own number.
    pub(crate) fn call(&self) -> Option<String> {
        let call = self.text("call")?;
        Some(format!("{}/{call}", self.text("instance").unwrap_or("?")))
    }

    /// Whether the call was made on the way to another one.
    pub(crate) fn is_step(&self) -> bool {
        self.text("parent").is_some()
    }

    /// Whether a value was handed out, and where.
    pub(crate) fn disclosed_to(&self) -> Option<&str> {
        let reveals = self.text("risk") == Some("reveal") && self.outcome() == Some(Outcome::Done);
        self.text("destination").filter(|place| reveals && *place != "mask")
    }
}

/// The name in an ARN `acs:kms:<region>:<account>:secret/<name>`, or the name as it is.
pub(crate) fn secret_name(resource: &str) -> &str {
    match resource.strip_prefix("acs:kms:").and_then(|rest| rest.split_once(":secret/")) {
        Some((_, name)) => name,
        None => resource,
    }
}

/// The rows of a folder, in the order in which they begin.
///
/// A row is held back while its call is open, and those after it with it: about as long as a call
/// takes. A call that was never closed holds them until its process has ended, or until they are
/// more than [`HELD`]: then it goes on without its result, which is a row of its own if it comes.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    merge: Merge<'a>,
    held: VecDeque<Held>,
    /// Bytes of the records that are held.
    bytes: usize,
    /// Number of the first row that is held.
    first: usize,
    /// The open calls, by process and call, or by the number of an intent that names no call.
    open: HashMap<(String, String), Vec<Open>>,
    /// Files that ended with `rotate`: their calls may be closed in the next one.
    rotated: HashSet<usize>,
    /// The last event of each file that has not ended.
    last: HashMap<usize, bool>,
    records: u64,
}

#[derive(Debug)]
struct Held {
    row: Row,
    open: bool,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    row: usize,
    file: usize,
    seq: Option<i64>,
}

impl<'a> Rows<'a> {
    pub(crate) fn of(merge: Merge<'a>) -> Self {
        Self {
            merge,
            held: VecDeque::new(),
            bytes: 0,
            first: 0,
            open: HashMap::new(),
            rotated: HashSet::new(),
            last: HashMap::new(),
            records: 0,
        }
    }

    /// Records read so far.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// What could not be read; complete once there is no next row.
    pub(crate) fn trouble(self) -> Trouble {
        self.merge.trouble()
    }

    fn take(&mut self, file: usize, line: Line) {
        self.records += 1;
        self.bytes = self.bytes.saturating_add(line.place().bytes);
        self.last.insert(file, line.event() == "rotate");
        match line.event() {
            "intent" => {
                let (row, seq) = (self.first + self.held.len(), line.integer("seq"));
                self.open.entry(key(&line, "seq")).or_default().push(Open { row, file, seq });
                self.held.push_back(Held { row: Row { lines: vec![line] }, open: true });
            }
            "result" | "aborted" => match self.closes(file, &line) {
                Some(row) => self.close(row, Some(line)),
                None => self.hold(line),
            },
            _ => self.hold(line),
        }
    }

    fn hold(&mut self, line: Line) {
        self.held.push_back(Held { row: Row { lines: vec![line] }, open: false });
    }

    /// The row that `line` closes: of its own file, or of one that goes on in it.
    fn closes(&mut self, file: usize, line: &Line) -> Option<usize> {
        let key = key(line, "intent");
        let open = self.open.get_mut(&key)?;
        let intent = line.integer("intent");
        let rotated = &self.rotated;
        let at = open.iter().rposition(|one| {
            intent.is_some()
                && one.seq == intent
                && (one.file == file || rotated.contains(&one.file))
        })?;
        let row = open.remove(at).row;
        if open.is_empty() {
            self.open.remove(&key);
        }
        Some(row)
    }

    fn close(&mut self, row: usize, line: Option<Line>) {
        let at = row.checked_sub(self.first);
        if let Some(held) = at.and_then(|at| self.held.get_mut(at)) {
            held.row.lines.extend(line);
            held.open = false;
        }
    }

    /// A file has ended, and with it the hope for results.
    fn end(&mut self, file: usize) {
        if self.last.remove(&file) == Some(true) {
            self.rotated.insert(file);
            return;
        }
        self.give_up(|open| open.file == file);
    }

    /// Lets the first row go. Nothing closes it any more.
    fn let_go(&mut self) -> Option<Row> {
        let Held { row, open } = self.held.pop_front()?;
        if open && let Some(line) = row.lines.first() {
            let key = key(line, "seq");
            if let Some(calls) = self.open.get_mut(&key) {
                calls.retain(|call| call.row != self.first);
                if calls.is_empty() {
                    self.open.remove(&key);
                }
            }
        }
        self.first += 1;
        let bytes: usize = row.lines.iter().map(|line| line.place().bytes).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
        Some(row)
    }

    fn give_up(&mut self, which: impl Fn(&Open) -> bool) {
        let mut given_up = Vec::new();
        self.open.retain(|_, open| {
            given_up.extend(open.extract_if(.., |one| which(one)).map(|one| one.row));
            !open.is_empty()
        });
        for row in given_up {
            self.close(row, None);
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        loop {
            if self.held.front().is_some_and(|held| !held.open || self.bytes > HELD) {
                return self.let_go();
            }
            match self.merge.next() {
                Some(Item::Line(file, line)) => self.take(file, line),
                Some(Item::End(file)) => self.end(file),
                None if self.held.is_empty() => return None,
                None => self.give_up(|_| true),
            }
        }
    }
}

/// Which call a record is about: its process and its call, or its intent.
fn key(line: &Line, number: &str) -> (String, String) {
    let call = line.text("call").map(str::to_owned);
    let call = call.unwrap_or_else(|| format!("#{}", line.integer(number).unwrap_or_default()));
    (line.text("instance").unwrap_or_default().to_owned(), call)
}
