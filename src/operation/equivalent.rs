//! What one would type without us: the `aliyun` command and the Python script of a call.
//!
//! Never with a value in it: the CLI reads one from a file (`--SecretData-FILE`).

use super::{Content, Param, Params};

/// The token every request's user agent carries, ours and the equivalents'.
const USER_AGENT: &str = "AlibabaCloud-Agent-Skills";

/// `aliyun kms <Action> …`.
pub(crate) fn cli(action: &str, params: &Params, region: &str) -> String {
    let mut command = format!("aliyun kms {action}");
    for Param { name, content, .. } in params.iter() {
        let argument = match content {
            Content::Plain(text) => format!(" --{name} {}", shell(text)),
            Content::Secret(_) => format!(" --{name}-FILE ./value"),
        };
        command.push_str(&argument);
    }
    command.push_str(&format!(" --region {} --user-agent {USER_AGENT}", shell(region)));
    command
}

/// The same with the official SDK, `alibabacloud_kms20160120`.
pub(crate) fn python(action: &str, params: &Params, region: &str) -> String {
    let arguments: Vec<String> = params
        .iter()
        .map(|Param { name, content, .. }| match content {
            Content::Plain(text) => format!("{}={}", snake(name), literal(text)),
            Content::Secret(_) => format!("{}=open('value').read()", snake(name)),
        })
        .collect();
    format!(
        "from alibabacloud_credentials.client import Client as Credential\n\
         from alibabacloud_kms20160120 import models\n\
         from alibabacloud_kms20160120.client import Client\n\
         from alibabacloud_tea_openapi.utils_models import Config\n\n\
         client = Client(Config(credential=Credential(), region_id={}, user_agent='{USER_AGENT}'))\n\
         print(client.{}(models.{action}Request({})).body)\n",
        literal(region),
        snake(action),
        arguments.join(", ")
    )
}

fn shell(text: &str) -> String {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "_-./:@=+,".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        text.into()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A JSON string of ASCII characters is a Python string too.
fn literal(text: &str) -> String {
    let mut out = String::from("'");
    for character in text.chars() {
        match character {
            '\'' | '\\' => out.extend(['\\', character]),
            ' '..='~' => out.push(character),
            other => {
                let mut units = [0_u16; 2];
                if u32::from(other) > 0xFFFF {
                    out.push_str(&format!("\\U{:08x}", u32::from(other)));
                } else {
                    other.encode_utf16(&mut units).iter().for_each(|unit| {
                        out.push_str(&format!("\\u{unit:04x}"));
                    });
                }
            }
        }
    }
    out.push('\'');
    out
}

/// `SecretName` → `secret_name`, `DKMSInstanceId` → `dkmsinstance_id`, as the SDK's generator does.
fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut before_is_lower = false;
    for character in name.chars() {
        if character.is_ascii_uppercase() && before_is_lower {
            out.push('_');
        }
        before_is_lower = character.is_ascii_lowercase() || character.is_ascii_digit();
        out.push(character.to_ascii_lowercase());
    }
    out.replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensitive::Sensitive;

    #[test]
    fn shows_everything_but_the_value() {
        let params = Params::new()
            .query("SecretName", "it's/db")
            .query("DKMSInstanceId", "kst-1")
            .secret("SecretData", Some(Sensitive::new("hunter2-hunter2".into())));
        assert_eq!(
            cli("PutSecretValue", &params, "cn-hangzhou"),
            r"aliyun kms PutSecretValue --SecretName 'it'\''s/db' --DKMSInstanceId kst-1 --SecretData-FILE ./value --region cn-hangzhou --user-agent AlibabaCloud-Agent-Skills"
        );
        let python = python("PutSecretValue", &params, "cn-hangzhou");
        assert!(python.contains(r"client.put_secret_value(models.PutSecretValueRequest(secret_name='it\'s/db', dkmsinstance_id='kst-1', secret_data=open('value').read()))"), "{python}");
    }
}
