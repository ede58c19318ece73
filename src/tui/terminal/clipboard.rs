//! Setting the clipboard of the terminal in front of the user, with OSC 52: also over SSH, also through a
//! multiplexer. Nothing is read from a clipboard, ever.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::tier::CopyRoute;

/// What most terminals take: 100,000 bytes of sequence, which holds three quarters as much text.
const MOST: usize = 74_000;
/// The string that GNU screen takes in one piece.
const PIECE: usize = 76;

/// The bytes that put a text into the clipboard.
///
/// # Errors
/// Why it cannot be, as a clause in lower case.
pub(crate) fn copy(text: &str, route: CopyRoute) -> Result<Vec<u8>, String> {
    if text.len() > MOST {
        return Err(format!(
            "{} bytes are more than terminals take ({MOST})",
            text.len()
        ));
    }
    let payload = STANDARD.encode(text);
    let plain = format!("\x1b]52;c;{payload}\x07");
    match route {
        CopyRoute::Never => Err("this terminal cannot be told to copy".to_owned()),
        CopyRoute::Plain => Ok(plain.into_bytes()),
        // tmux takes the plain one where `set-clipboard` is on, and passes the wrapped one over where
        // `allow-passthrough` is: which of them holds is not known here, and either does no harm.
        CopyRoute::Tmux => {
            let wrapped = format!("\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b"));
            Ok([plain, wrapped].concat().into_bytes())
        }
        CopyRoute::Screen => {
            let mut out = Vec::with_capacity(payload.len() * 2 + 32);
            out.extend_from_slice(b"\x1bP\x1b]52;c;");
            for (i, piece) in payload.as_bytes().chunks(PIECE).enumerate() {
                if i > 0 {
                    out.extend_from_slice(b"\x1b\\\x1bP");
                }
                out.extend_from_slice(piece);
            }
            out.extend_from_slice(b"\x07\x1b\\");
            Ok(out)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left when a multiplexer has taken its own wrapping away.
    fn unwrapped(bytes: &[u8], lead: &str) -> String {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(start) = rest.find(lead) {
            let inner = &rest[start + lead.len()..];
            // A doubled escape is one of the payload, a single one with a backslash ends the string.
            let mut end = 0;
            while !inner[end..].starts_with("\x1b\\") {
                let step = if inner[end..].starts_with("\x1b\x1b") {
                    2
                } else {
                    1
                };
                end += step;
            }
            out.push_str(&inner[..end].replace("\x1b\x1b", "\x1b"));
            rest = &inner[end + 2..];
        }
        out
    }

    #[test]
    fn every_way_leads_to_the_same_sequence() {
        let text = "v-0197 · naïve\n".repeat(40);
        let plain = String::from_utf8(copy(&text, CopyRoute::Plain).unwrap()).unwrap();
        assert!(plain.starts_with("\x1b]52;c;") && plain.ends_with('\x07'));
        let payload = &plain[7..plain.len() - 1];
        assert_eq!(STANDARD.decode(payload).unwrap(), text.as_bytes());

        let tmux = copy(&text, CopyRoute::Tmux).unwrap();
        assert!(tmux.starts_with(plain.as_bytes()));
        assert_eq!(unwrapped(&tmux, "\x1bPtmux;"), plain);

        let screen = copy(&text, CopyRoute::Screen).unwrap();
        assert_eq!(unwrapped(&screen, "\x1bP"), plain);
        let longest = screen.split(|b| *b == b'\x1b').map(<[u8]>::len).max();
        assert!(longest.unwrap() <= PIECE + "]52;c;".len());
    }

    #[test]
    fn what_is_too_long_or_has_nowhere_to_go_is_refused() {
        assert!(copy("x", CopyRoute::Never).unwrap_err().contains("cannot"));
        let long = "x".repeat(MOST + 1);
        assert!(
            copy(&long, CopyRoute::Plain)
                .unwrap_err()
                .contains("more than")
        );
        assert!(copy(&long[1..], CopyRoute::Tmux).is_ok());
    }

    #[test]
    fn nothing_in_the_text_can_end_the_sequence() {
        let hostile = "\x07\x1b\\\x1b]0;owned\x07";
        let bytes = copy(hostile, CopyRoute::Plain).unwrap();
        assert_eq!(bytes.iter().filter(|b| **b == 0x1b).count(), 1);
        assert_eq!(bytes.iter().filter(|b| **b == 0x07).count(), 1);
    }
}
