//! [`Posted`]: the person on the page, as a channel.

use std::io;

use super::form::Form;
use crate::approval::Signing;
use crate::approval::channel::{Answer, Channel};
use crate::guard::approval::Record;
use crate::sensitive::Sensitive;
use crate::store::Method;

/// A form that was sent: the record was shown with it.
#[derive(Debug)]
pub(super) struct Posted {
    form: Form,
    /// The server of this page.
    instance: String,
    /// The name that was typed is not that of the secret.
    pub(super) misnamed: bool,
}

impl Posted {
    pub(super) fn new(form: Form, instance: String) -> Self {
        Self { form, instance, misnamed: false }
    }

    /// Whether the answer is a yes.
    pub(super) fn approves(&self) -> bool {
        self.form.answer == Some(Answer::Approve)
    }
}

impl Channel for Posted {
    fn method(&self) -> Method {
        Method::Page
    }

    fn who(&self) -> String {
        format!("uid {} or whoever had the address", rustix::process::getuid().as_raw())
    }

    fn ask(&mut self, records: &[Record], _: &Signing) -> io::Result<Answer> {
        let answer = self.form.answer.unwrap_or(Answer::Later);
        let named = |record: &Record| self.form.name.trim() == record.resource;
        self.misnamed = answer == Answer::Approve
            && records.iter().any(|record| record.type_the_name && !named(record));
        // A slip is no decision: the form comes back and says so.
        Ok(if self.misnamed { Answer::Later } else { answer })
    }

    /// The value comes to the server that asked, and there is no way to another one's page.
    fn shows_value_of(&self, record: &Record) -> bool {
        record.instance == self.instance
    }

    fn pin(&mut self) -> io::Result<Option<Sensitive>> {
        Ok(self.form.pin.take())
    }
}
