//! Which plugin serves a path: the longest prefix, whole segments, without regard to case (`/ews/exchange.asmx` and
//! `/EWS/Exchange.asmx` are the same place to clients).

use waxwing_runtime::Route;

pub(super) fn find<'a>(routes: &'a [Route], path: &str) -> Option<&'a Route> {
    routes
        .iter()
        .filter(|route| covers(&route.prefix, path))
        .max_by_key(|route| route.prefix.len())
}

fn covers(prefix: &str, path: &str) -> bool {
    let Some((start, rest)) = path.as_bytes().split_at_checked(prefix.len()) else {
        // `/dav` is the same place as `/dav/`.
        return prefix
            .strip_suffix('/')
            .is_some_and(|shorter| shorter.eq_ignore_ascii_case(path));
    };
    start.eq_ignore_ascii_case(prefix.as_bytes())
        && (rest.is_empty() || prefix.ends_with('/') || rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use waxwing_runtime::RouteAuth;

    use super::*;

    fn route(prefix: &str) -> Route {
        Route {
            plugin: prefix.to_owned(),
            prefix: prefix.to_owned(),
            auth: RouteAuth::None,
            max_body: 0,
        }
    }

    fn found(prefixes: &[&str], path: &str) -> Option<String> {
        let routes: Vec<Route> = prefixes.iter().map(|prefix| route(prefix)).collect();
        find(&routes, path).map(|route| route.plugin.clone())
    }

    #[test]
    fn the_longest_prefix_wins() {
        let prefixes = ["/", "/dav/", "/dav/calendars"];
        assert_eq!(
            found(&prefixes, "/dav/calendars/me").as_deref(),
            Some("/dav/calendars")
        );
        assert_eq!(found(&prefixes, "/dav/contacts").as_deref(), Some("/dav/"));
        assert_eq!(found(&prefixes, "/else").as_deref(), Some("/"));
    }

    #[test]
    fn case_does_not_matter_and_segments_are_whole() {
        assert_eq!(
            found(&["/EWS/Exchange.asmx"], "/ews/exchange.ASMX").as_deref(),
            Some("/EWS/Exchange.asmx")
        );
        assert_eq!(found(&["/dav"], "/david"), None);
        assert_eq!(found(&["/dav/"], "/dav").as_deref(), Some("/dav/"));
        assert_eq!(found(&["/dav"], "/dav/").as_deref(), Some("/dav"));
        assert_eq!(found(&["/a"], "/é"), None);
    }
}
