//! [`Posted`]: the person on the page, as a channel.

use std::io;

use super::form::Form;
use crate::approval::channel::{Answer, Channel};
use crate::guard::approval::Record;
use crate::sensitive::Sensitive;

/// A form that was sent: the record was shown with it.
#[derive(Debug)]
pub(super) struct Posted {
    form: Form,
    /// The name that was typed is not that of the secret.
    pub(super) misnamed: bool,
}

impl Posted {
    pub(super) fn new(form: Form) -> Self {
        Self { form, misnamed: false }
    }
}

impl Channel for Posted {
    fn method(&self) -> &'static str {
        "page"
    }

    fn who(&self) -> String {
        format!("uid {} or whoever had the address", rustix::process::getuid().as_raw())
    }

    fn ask(&mut self, records: &[Record], _: bool) -> io::Result<Answer> {
        let answer = self.form.answer.unwrap_or(Answer::Later);
        let named = |record: &Record| self.form.name.trim() == record.resource;
        self.misnamed = answer == Answer::Approve
            && records.iter().any(|record| record.type_the_name && !named(record));
        // A slip is no decision: the form comes back and says so.
        Ok(if self.misnamed { Answer::Later } else { answer })
    }

    fn pin(&mut self) -> io::Result<Option<Sensitive>> {
        Ok(self.form.pin.take())
    }
}
