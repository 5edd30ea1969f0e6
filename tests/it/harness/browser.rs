//! A person in a browser, as far as a decision takes one.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::PATIENCE;

/// Opens the page at `address`, fills in its form with `fields` and sends it; what is seen then.
pub(crate) fn decide_at(address: &str, fields: &str) -> String {
    let page = look_at(address);
    let (_, rest) = page.split_once("name=\"seal\" value=\"").unwrap_or_else(|| panic!("{page}"));
    press_at(address, &format!("seal={}&{fields}", rest.split_once('"').unwrap().0))
}

/// The page at `address`, with its headers.
pub(crate) fn look_at(address: &str) -> String {
    let (host, path) = split(address);
    send(host, &format!("GET /{path} HTTP/1.1\r\n"), "")
}

/// Sends `form` to `address`, as a button does; what is seen then.
pub(crate) fn press_at(address: &str, form: &str) -> String {
    let (host, path) = split(address);
    let kind = "Content-Type: application/x-www-form-urlencoded";
    send(host, &format!("POST /{path} HTTP/1.1\r\n{kind}\r\n"), form)
}

fn split(address: &str) -> (&str, &str) {
    address.strip_prefix("http://").unwrap().split_once('/').unwrap()
}

fn send(host: &str, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    let rest = format!("Host: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{rest}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
