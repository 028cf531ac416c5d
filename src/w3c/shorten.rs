//! A path as a server takes it: one slash for several or for a backslash,
//! nothing for `.`, and `..` with the folder before it left out.
//!
//! HTTP.sys does this before it writes its log; IIS 4 and 5 did not, nor do
//! the logs that show a URL as it was sent (HTTPERR, URLScan, Apache). So
//! `/scripts/./x//../root.exe` is there what it says and not what it means.

/// True where [`tidy`] or [`resolve`] could change the path. Cheap: no other
/// path holds two slashes, a name that begins with a dot, or a backslash.
#[inline]
pub fn may_shorten(path: &[u8]) -> bool {
    let [b'/', rest @ ..] = path else { return false };
    // No early end: so the compiler takes many bytes at once.
    path.iter().zip(rest).fold(0, |found, (byte, next)| {
        let is_odd = u8::from(*next == b'/') | u8::from(*next == b'.');
        let is_pair = u8::from(*byte == b'/') & is_odd;
        found | is_pair | u8::from(*next == b'\\')
    }) != 0
}

/// Writes the path without what is nothing, so that climbs stand one slash
/// apart; false where it is so already, or does not begin with a slash.
pub fn tidy(path: &[u8], out: &mut Vec<u8>) -> bool {
    write(path, out, |_| false)
}

/// Writes the path as it is resolved; false where it is so already, or does
/// not begin with a slash. What climbs above the root keeps its `..`, for
/// nobody can say where it leads.
pub fn resolve(path: &[u8], out: &mut Vec<u8>) -> bool {
    write(path, out, step_up)
}

fn write(
    path: &[u8],
    out: &mut Vec<u8>,
    step_up: impl Fn(&mut Vec<u8>) -> bool,
) -> bool {
    if !may_shorten(path) {
        return false;
    }
    out.clear();
    let is_slash = |byte: &u8| matches!(byte, b'/' | b'\\');
    let names = path.get(1..).unwrap_or_default().split(is_slash);
    let mut is_open = false;
    for name in names {
        is_open = match name {
            b"" | b"." => true,
            b".." if step_up(out) => true,
            _ => {
                out.push(b'/');
                out.extend_from_slice(name);
                false
            }
        };
    }
    if is_open {
        out.push(b'/');
    }
    out.as_slice() != path
}

/// Leaves out the last folder; false where there is none to leave out.
fn step_up(out: &mut Vec<u8>) -> bool {
    let Some(slash) = memchr::memrchr(b'/', out) else { return false };
    let is_folder = out.get(slash + 1..).is_some_and(|name| name != b"..");
    if is_folder {
        out.truncate(slash);
    }
    is_folder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved() {
        for (path, short) in [
            ("/a//b", "/a/b"),
            ("//", "/"),
            ("///a", "/a"),
            ("/./a", "/a"),
            ("/a/.", "/a/"),
            ("/a/./b/./", "/a/b/"),
            ("/x/../a", "/a"),
            ("/a/x/y/../../b", "/a/b"),
            ("/a/x/..", "/a/"),
            ("/a/..", "/"),
            ("/a\\b", "/a/b"),
            ("/a\\..\\b", "/b"),
            ("/a/..\\../b", "/../b"),
            ("/../../x//b", "/../../x/b"),
            ("/../x/../../b", "/../../b"),
        ] {
            let mut out = Vec::new();
            assert!(resolve(path.as_bytes(), &mut out), "{path}");
            assert_eq!(String::from_utf8_lossy(&out), short, "{path}");
        }
    }

    #[test]
    fn climbs_stay_in_what_is_only_tidied() {
        for (path, tidied) in [
            ("/a\\..\\.\\b", "/a/../b"),
            ("/a/..//../", "/a/../../"),
            ("/./x/..", "/x/.."),
        ] {
            let mut out = Vec::new();
            assert!(tidy(path.as_bytes(), &mut out), "{path}");
            assert_eq!(String::from_utf8_lossy(&out), tidied, "{path}");
        }
        assert!(!tidy(b"/a/../b", &mut Vec::new()));
    }

    #[test]
    fn what_is_resolved_already_is_left_alone() {
        for path in [
            "",
            "/",
            "/a/b.asp",
            "/.well-known/x",
            "/a/..b/...",
            "/..",
            "/../a",
            "a//b",
            "*",
            "http://example.com/a",
        ] {
            let mut out = Vec::new();
            assert!(!resolve(path.as_bytes(), &mut out), "{path}");
            assert!(!tidy(path.as_bytes(), &mut out), "{path}");
        }
    }
}
