//! [`RotationInterval`]: how often KMS rotates, where it rotates at all.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::choices::{UNKNOWN, choices};
use crate::operation::{Confined, Echo, Invalid};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// e.g. 7d; units d h m s
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(crate) struct RotationInterval(#[schemars(length(min = 1, max = 16))] String);

choices! {
    // Of secrets and of keys (facts/kms.md §1.1, §1.17).
    enum RotationState {
        Enabled = "Enabled",
        Disabled = "Disabled",
        Invalid = "Invalid",
        Suspended = "Suspended",
    }
}

/// An interval that KMS answers, such as `604800s`; any other text is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, description = "")]
pub(crate) struct Interval(String);

impl Confined for Interval {}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let echo = Echo::deserialize(deserializer)?;
        let text = echo.heard();
        let digits = text.strip_suffix(['d', 'h', 'm', 's']).unwrap_or_default();
        let fits = matches!(digits.len(), 1..=9) && digits.bytes().all(|it| it.is_ascii_digit());
        Ok(Self(if fits || text.is_empty() { text } else { UNKNOWN }.to_owned()))
    }
}

/// The shortest interval of a kind of thing; the longest is 365 days for all.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shortest {
    /// Secrets. The documents disagree (6 hours or 7 days, facts/kms.md §1.1); KMS decides above 6.
    SixHours,
    /// Keys (facts/kms.md §1.17).
    SevenDays,
}

impl Shortest {
    const fn seconds(self) -> u64 {
        match self {
            Self::SixHours => 6 * HOUR,
            Self::SevenDays => 7 * DAY,
        }
    }

    const fn allowed(self) -> &'static str {
        match self {
            Self::SixHours => "an integer with a unit d, h, m or s, from 6h to 365d, such as 7d",
            Self::SevenDays => "an integer with a unit d, h, m or s, from 7d to 365d, such as 90d",
        }
    }
}

/// An interval belongs to rotation that is on, and the other way round. KMS ignores an interval
/// where rotation is turned off explicitly; where nothing is said, the caller believes it is on.
pub(crate) fn check(
    enable: Option<bool>,
    interval: Option<&RotationInterval>,
    shortest: Shortest,
) -> Result<(), Invalid> {
    match (enable, interval) {
        (Some(true), None) => Err(Invalid::new(
            "RotationInterval",
            format!("given when `EnableAutomaticRotation` is true: {}", shortest.allowed()),
        )),
        (None, Some(_)) => Err(Invalid::new(
            "EnableAutomaticRotation",
            "given when `RotationInterval` is: without it nothing is rotated",
        )),
        (_, Some(interval)) => match interval.seconds() {
            Some(seconds) if (shortest.seconds()..=365 * DAY).contains(&seconds) => Ok(()),
            _ => Err(Invalid::new("RotationInterval", shortest.allowed())),
        },
        (_, None) => Ok(()),
    }
}

impl RotationInterval {
    /// `integer[unit]`; no sign, no space, no fraction.
    fn seconds(&self) -> Option<u64> {
        let (number, unit) = self.0.split_at_checked(self.0.len().checked_sub(1)?)?;
        let unit = match unit {
            "d" => DAY,
            "h" => HOUR,
            "m" => 60,
            "s" => 1,
            _ => return None,
        };
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        number.parse::<u64>().ok()?.checked_mul(unit)
    }
}

impl From<RotationInterval> for String {
    fn from(interval: RotationInterval) -> Self {
        interval.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(text: &str, shortest: Shortest) -> bool {
        check(Some(true), Some(&RotationInterval(text.into())), shortest).is_ok()
    }

    #[test]
    fn takes_integers_with_a_unit_in_range() {
        for good in ["6h", "360m", "21600s", "7d", "604800s", "365d", "8760h", "31536000s"] {
            assert!(fits(good, Shortest::SixHours), "{good}");
        }
        for bad in [
            "",
            "d",
            "7",
            "7D",
            "7w",
            "7 d",
            "+7d",
            "-7d",
            "7.5d",
            "7d ",
            "٧d",
            "5h",
            "21599s",
            "366d",
            "8761h",
            "99999999999999999999d",
            "18446744073709551615d",
            "7é",
        ] {
            assert!(!fits(bad, Shortest::SixHours), "{bad}");
        }
        assert!(fits("7d", Shortest::SevenDays) && !fits("167h", Shortest::SevenDays));
    }

    #[test]
    fn belongs_to_rotation_that_is_on() {
        let interval = RotationInterval("7d".into());
        let field = |enable, interval| {
            check(enable, interval, Shortest::SixHours).err().map(|invalid| invalid.field)
        };
        assert_eq!(field(None, None), None);
        assert_eq!(field(Some(false), None), None);
        assert_eq!(field(Some(false), Some(&interval)), None);
        assert_eq!(field(Some(true), None).as_deref(), Some("RotationInterval"));
        assert_eq!(field(None, Some(&interval)).as_deref(), Some("EnableAutomaticRotation"));
    }
}
