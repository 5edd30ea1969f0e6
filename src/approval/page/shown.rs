//! [`Shown`]: values on their way to the person who approved that they be shown.
//!
//! The address of a value is told in the answer to that person's yes and nowhere else: neither the
//! agent nor the client ever has it. It stands for one look.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};

use crate::hex;
use crate::sensitive::Sensitive;
use crate::store::Hash;

/// How long a place waits for its value, and then a value for its person.
const LIFE: Duration = Duration::from_mins(3);

/// What there is at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The agent has not made its call yet.
    Waits,
    /// The value is there, for one look.
    Holds,
    /// There was one, or never.
    Gone,
}

/// The places of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// By the random end of their address.
    places: Arc<Mutex<HashMap<String, Waiting>>>,
    life: Duration,
}

#[derive(Debug)]
struct Waiting {
    question: Hash,
    /// Name of the secret.
    secret: String,
    value: Option<Sensitive>,
}

/// A value that was taken from its place: it is there no more.
#[derive(Debug)]
pub(super) struct Taken {
    /// The question that it answers.
    pub(super) question: Hash,
    /// Name of the secret.
    pub(super) secret: String,
    pub(super) value: Sensitive,
}

/// A person who waits for a value, for whoever has it to show.
#[derive(Debug)]
pub(crate) struct Viewer {
    shown: Shown,
    place: String,
}

impl Viewer {
    /// Puts the value into its place. `false`: nobody waits any more, and the value is dropped.
    pub(crate) fn show(self, value: Sensitive) -> bool {
        let Self { shown, place } = self;
        let put = shown.with(|all| {
            let waits = all.get_mut(&place).filter(|it| it.value.is_none());
            waits.map(|it| it.value = Some(value)).is_some()
        });
        if put {
            shown.close_later(place, true);
        }
        put
    }
}

impl Shown {
    /// None yet.
    pub(super) fn new() -> Self {
        Self::lasting(LIFE)
    }

    fn lasting(life: Duration) -> Self {
        Self { places: Arc::default(), life }
    }

    /// The place for the value of that question, one however often it is asked for: the random end
    /// of its address.
    pub(super) fn open(&self, question: Hash, secret: &str) -> Result<String, Unspecified> {
        let known = |all: &HashMap<String, Waiting>| {
            all.iter().find(|(_, it)| it.question == question).map(|(name, _)| name.clone())
        };
        if let Some(name) = self.with(|all| known(all)) {
            return Ok(name);
        }
        let mut bytes = [0_u8; 16];
        SystemRandom::new().fill(&mut bytes)?;
        let name = hex::encode(&bytes);
        let waiting = Waiting { question, secret: secret.to_owned(), value: None };
        self.with(|all| all.insert(name.clone(), waiting));
        self.close_later(name.clone(), false);
        Ok(name)
    }

    /// Who waits for the value of that question.
    pub(super) fn viewer(&self, question: Hash) -> Option<Viewer> {
        let waits = |it: &Waiting| it.question == question && it.value.is_none();
        let found = self.with(|all| all.iter().find(|(_, it)| waits(it)).map(|(at, _)| at.clone()));
        found.map(|place| Viewer { shown: self.clone(), place })
    }

    /// What there is at an address.
    pub(super) fn look(&self, name: &str) -> Place {
        self.with(|all| match all.get(name) {
            None => Place::Gone,
            Some(Waiting { value: None, .. }) => Place::Waits,
            Some(Waiting { value: Some(_), .. }) => Place::Holds,
        })
    }

    /// Takes the value, for the one look.
    pub(super) fn take(&self, name: &str) -> Option<Taken> {
        self.with(|all| {
            all.get(name)?.value.as_ref()?;
            let Waiting { question, secret, value } = all.remove(name)?;
            Some(Taken { question, secret, value: value? })
        })
    }

    /// Closes it when its life is over, if it then holds a value or still does not, as said.
    fn close_later(&self, name: String, holding: bool) {
        let shown = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(shown.life).await;
            shown.with(|all| {
                if all.get(&name).is_some_and(|it| it.value.is_some() == holding) {
                    all.remove(&name);
                }
            });
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Waiting>) -> T) -> T {
        work(&mut self.places.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value() -> Sensitive {
        Sensitive::new("a value".into())
    }

    #[tokio::test]
    async fn a_value_has_one_place_and_one_look() {
        let shown = Shown::new();
        assert!(shown.viewer([1; 32]).is_none(), "nobody waits");
        let name = shown.open([1; 32], "app/db").unwrap();
        assert!(shown.viewer([2; 32]).is_none());
        assert_eq!(shown.look(&name), Place::Waits);
        assert!(shown.take(&name).is_none());
        let (one, other) = (shown.viewer([1; 32]).unwrap(), shown.viewer([1; 32]).unwrap());
        assert!(one.show(value()));
        assert!(!other.show(value()) && shown.viewer([1; 32]).is_none(), "one value");
        assert_eq!(shown.look(&name), Place::Holds);
        assert!(shown.take(&name).is_some());
        assert!(shown.take(&name).is_none(), "one look");
        assert_eq!(shown.look(&name), Place::Gone);
    }

    async fn gone(shown: &Shown, name: &str) {
        let closing = async {
            while shown.look(name) != Place::Gone {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), closing).await.expect("it is closed");
    }

    #[tokio::test]
    async fn places_and_values_do_not_last() {
        let shown = Shown::lasting(Duration::ZERO);
        let empty = shown.open([1; 32], "app/db").unwrap();
        let full = shown.open([2; 32], "app/db").unwrap();
        // Nothing else runs before the first await: the life of the place is not over yet.
        assert!(shown.viewer([2; 32]).unwrap().show(value()));
        gone(&shown, &empty).await;
        gone(&shown, &full).await;
        assert!(shown.take(&full).is_none());
    }

    #[tokio::test]
    async fn a_question_has_one_place_however_often_it_is_sent() {
        let shown = Shown::new();
        let name = shown.open([1; 32], "app/db").unwrap();
        assert_eq!(shown.open([1; 32], "app/db").unwrap(), name);
        assert_ne!(shown.open([2; 32], "app/db").unwrap(), name);
        assert!(shown.viewer([1; 32]).unwrap().show(value()));
        assert_eq!(shown.open([1; 32], "app/db").unwrap(), name);
        assert_eq!(shown.look(&name), Place::Holds);
    }
}
