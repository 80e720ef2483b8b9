//! Rows of a table, and the exact bytes of the request that each one stands for.
//!
//! In any place `⟨ff fe⟩` stands for these bytes, `⟨x×100⟩` for a hundred times x, and `{id}` for a response that is paused.

use super::support::UNKNOWN;

/// A request and the refusal that it is to get.
#[derive(Clone)]
pub struct Row {
    pub name: String,
    pub status: u16,
    pub code: String,
    pub param: Option<String>,
    pub request: Vec<u8>,
}

/// A table whose rows are `status code param body`, all for one address.
pub fn bodies(head: &str, table: &str, id: &str) -> Vec<Row> {
    let row = |line: &str| {
        let [status, code, param, body] = line.splitn(4, ' ').collect::<Vec<_>>()[..] else {
            panic!("no row: {line}");
        };
        requests(&format!("{status} {code} {param} | {head} | | {body}"), id)
    };
    lines(table).flat_map(row).collect()
}

/// A table whose rows are `status code param | METHOD path | header: value; … | body`.
///
/// A bearer token, a content type and the body's length are added where no such header is given; `-name` leaves one out.
pub fn requests(table: &str, id: &str) -> Vec<Row> {
    lines(table).map(|line| row(line, id)).collect()
}

fn lines(table: &str) -> impl Iterator<Item = &str> {
    table.lines().filter(|line| !line.trim().is_empty())
}

fn row(line: &str, id: &str) -> Row {
    let [wanted, head, headers, body] = line.splitn(4, '|').collect::<Vec<_>>()[..] else {
        panic!("no row: {line}");
    };
    let [status, code, param] = wanted.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("no row: {line}");
    };
    let text = |text: &str| {
        expand(
            &text
                .trim()
                .replace("{id}", id)
                .replace("{unknown}", UNKNOWN),
        )
    };
    let body = text(body);
    let mut request = text(head);
    request.extend_from_slice(b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    let given: Vec<&str> = headers.split(';').map(str::trim).collect();
    for (name, value) in [
        ("authorization", "Bearer hf_alice".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("content-length", body.len().to_string()),
    ] {
        let is_named = |header: &&str| header.trim_start_matches('-').starts_with(name);
        // A body in chunks has no length.
        let is_chunked =
            name == "content-length" && given.iter().any(|it| it.starts_with("transfer"));
        let is_needed = name == "authorization" || !body.is_empty();
        if is_needed && !is_chunked && !given.iter().any(is_named) {
            request.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
    }
    for header in given
        .iter()
        .filter(|it| !it.is_empty() && !it.starts_with('-'))
    {
        // A semicolon inside a header is written as a comma with a blank before it.
        request.extend_from_slice(&text(&header.replace(" ,", ";")));
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(&body);
    Row {
        name: line.to_owned(),
        status: status.parse().unwrap(),
        code: code.to_owned(),
        param: (param != "-").then(|| param.to_owned()),
        request,
    }
}

/// Puts bytes in the place of `⟨…⟩`.
fn expand(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('⟨') {
        let (inside, after) = behind.split_once('⟩').expect("a closing bracket");
        bytes.extend_from_slice(before.as_bytes());
        match inside.rsplit_once('×') {
            Some((piece, count)) => {
                bytes.extend_from_slice(piece.repeat(count.parse().unwrap()).as_bytes());
            }
            None => bytes.extend(
                inside
                    .split_whitespace()
                    .map(|hex| u8::from_str_radix(hex, 16).unwrap()),
            ),
        }
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}
