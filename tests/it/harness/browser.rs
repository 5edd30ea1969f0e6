//! A person in a browser, as far as a decision takes one.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::PATIENCE;

/// Opens the page at `address`, fills in its form with `fields` and sends it; what is seen then.
pub(crate) fn decide_at(address: &str, fields: &str) -> String {
    let (host, path) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let page = send(host, &format!("GET /{path} HTTP/1.1\r\n"), "");
    let (_, rest) = page.split_once("name=\"seal\" value=\"").unwrap_or_else(|| panic!("{page}"));
    let form = format!("seal={}&{fields}", rest.split_once('"').unwrap().0);
    let kind = "Content-Type: application/x-www-form-urlencoded";
    send(host, &format!("POST /{path} HTTP/1.1\r\n{kind}\r\n"), &form)
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
