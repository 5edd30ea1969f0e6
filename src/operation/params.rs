//! [`Params`]: what goes over the wire, each with its place and whether it is a secret.

use crate::sensitive::Sensitive;

/// The parameters of one call, in the order given.
#[derive(Debug, Default)]
pub struct Params(Vec<Param>);

/// One parameter.
#[derive(Debug)]
pub struct Param {
    /// Its KMS name.
    pub name: &'static str,
    /// What it holds.
    pub content: Content,
    pub(crate) place: Place,
}

/// The content of a parameter.
#[derive(Debug)]
pub enum Content {
    /// May be shown to the approver and written to the log's digest.
    Plain(String),
    /// A secret value.
    Secret(Sensitive),
}

/// Where a parameter goes. Values go into the body: neither a URL, nor an access log, nor the
/// echo of a signature error can then repeat them (facts/kms.md §0.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Query,
    Body,
}

impl Params {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a parameter to the query.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push(Param { name, content: Content::Plain(value.into()), place: Place::Query });
        self
    }

    /// Adds it if there is one.
    #[must_use]
    pub fn query_some(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value.to_string()),
            None => self,
        }
    }

    /// Adds it as JSON, the form KMS wants for arrays and objects.
    #[must_use]
    pub fn query_json(self, name: &'static str, value: Option<&impl serde::Serialize>) -> Self {
        match value.and_then(|value| serde_json::to_string(value).ok()) {
            Some(json) => self.query(name, json),
            None => self,
        }
    }

    /// Adds a secret value to the form body.
    #[must_use]
    pub fn secret(mut self, name: &'static str, value: Option<Sensitive>) -> Self {
        if let Some(value) = value {
            self.0.push(Param { name, content: Content::Secret(value), place: Place::Body });
        }
        self
    }

    /// Sets a plain parameter of the query, replacing an earlier one of that name.
    pub(crate) fn set(&mut self, name: &'static str, value: String) {
        self.0.retain(|param| param.name != name);
        self.0.push(Param { name, content: Content::Plain(value), place: Place::Query });
    }

    /// The secret values among them.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Sensitive> {
        self.0.iter().filter_map(|param| match &param.content {
            Content::Secret(value) => Some(value),
            Content::Plain(_) => None,
        })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Param> {
        self.0.iter()
    }
}
