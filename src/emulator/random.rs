//! Randomness from the system: key material, identifiers, generated passwords.

use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};

const DIGITS: &[u8] = b"0123456789";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const PASSWORD: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!@#%^*-_=+";

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Unspecified> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(bytes)
}

/// `length` digits, the first not `0`.
pub(crate) fn digits(length: usize) -> Result<String, Unspecified> {
    loop {
        let digits = text(DIGITS, length)?;
        if !digits.starts_with('0') {
            return Ok(digits);
        }
    }
}

/// `length` lower-case letters and digits, as in the ids of keys and instances.
pub(crate) fn lower(length: usize) -> Result<String, Unspecified> {
    text(LOWER, length)
}

/// `length` letters and digits, as in access keys.
pub(crate) fn alphanumeric(length: usize) -> Result<String, Unspecified> {
    text(ALPHANUMERIC, length)
}

/// A password a rotation sets.
pub(crate) fn password() -> Result<String, Unspecified> {
    text(PASSWORD, 32)
}

/// A version 4 UUID in lower case.
pub(crate) fn uuid() -> Result<String, Unspecified> {
    let value = u128::from_be_bytes(bytes::<16>()?);
    let value = (value & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{value:032x}");
    let mut uuid = String::with_capacity(36);
    for (at, digit) in hex.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(digit);
    }
    Ok(uuid)
}

fn text(alphabet: &[u8], length: usize) -> Result<String, Unspecified> {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        // A byte past the last whole multiple of the alphabet would favour its first letters.
        let [byte] = bytes::<1>()?;
        let byte = usize::from(byte);
        if byte < 256 - 256 % alphabet.len()
            && let Some(letter) = alphabet.get(byte % alphabet.len())
        {
            text.push(char::from(*letter));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_uuid_has_its_version_and_variant() {
        let uuid = super::uuid().unwrap();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{uuid}");
    }
}
