// SPDX-License-Identifier: Apache-2.0
//! The WebSocket address of a node, as it is typed.

/// Returns the text if it is the address of a WebSocket.
///
/// # Errors
///
/// It is not one. The error says what one looks like.
pub fn check(text: &str) -> Result<String, String> {
    let address = text.strip_prefix("ws://").or_else(|| text.strip_prefix("wss://"));
    let is_websocket = address.is_some_and(|address| {
        has_host(address) && !text.contains(|c: char| c.is_whitespace() || c.is_control())
    });
    if !is_websocket {
        return Err(format!(
            "'{text}' is not the WebSocket address of a node; write one like ws://127.0.0.1:9944 or \
             wss://rpc.example.org"
        ));
    }
    Ok(text.into())
}

/// Returns whether an address without its scheme begins with a host, and a port if there is a colon.
fn has_host(address: &str) -> bool {
    let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
    let server = authority.rsplit_once('@').map_or(authority, |(_, server)| server);
    // The colons of an IPv6 address are within brackets.
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (server, None),
    };
    !host.is_empty() && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_of_a_websocket_is_taken_as_it_is() {
        for text in
            ["ws://127.0.0.1:9944", "wss://rpc.example.org", "ws://[::1]:1/path", "ws://[::1]/"]
        {
            assert_eq!(check(text), Ok(text.into()));
        }
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in [
            "",
            "notaurl",
            "127.0.0.1:9944",
            "http://127.0.0.1:9944",
            "ws://",
            "ws:",
            "ws://:1",
            "ws://a:b",
            "ws://a b",
        ] {
            let error = check(text).unwrap_err();
            assert!(error.contains(&format!("'{text}'")) && error.contains("ws://127"), "{error}");
        }
    }
}
