//! [`Unique`]: JSON in which no object has a key twice, and that has not too many values.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Most values of a line: numbers, texts, lists, objects and so on, each by itself. The largest call
/// of a tool has a few hundred.
pub(super) const MAX_VALUES: usize = 20_000;

/// Reads JSON, and counts its values.
#[derive(Debug, Default)]
pub(super) struct Unique {
    values: usize,
}

impl Unique {
    /// How many values were read so far.
    pub(super) fn values(&self) -> usize {
        self.values
    }

    /// Whether reading ended since there were too many values.
    pub(super) fn is_too_many(&self) -> bool {
        self.values > MAX_VALUES
    }

    /// What `text` says. `None`: it is no JSON, a key stands twice in an object, or there are too
    /// many values. `serde_json` would take the last of two keys, others the first.
    pub(super) fn read(&mut self, text: &str) -> Option<Value> {
        let mut json = serde_json::Deserializer::from_str(text);
        let value = self.deserialize(&mut json).ok()?;
        json.end().ok()?;
        Some(value)
    }
}

impl<'de> DeserializeSeed<'de> for &mut Unique {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.values += 1;
        if self.is_too_many() {
            return Err(Error::custom("too many values"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Unique {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate keys")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(&mut *self)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let member = members.next_value_seed(&mut *self)?;
            if object.insert(key, member).is_some() {
                return Err(Error::custom("duplicate key"));
            }
        }
        Ok(Value::Object(object))
    }
}
