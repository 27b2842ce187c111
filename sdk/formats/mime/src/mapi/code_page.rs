//! Windows code pages of charsets, for PidTagInternetCodepage.

use encoding_rs::Encoding;

/// The Windows code page of a charset, for PidTagInternetCodepage; None when it has none.
pub(super) fn of(label: &[u8]) -> Option<i32> {
    let label = label.trim_ascii();
    if label.eq_ignore_ascii_case(b"us-ascii") {
        return Some(20127);
    }
    if label.eq_ignore_ascii_case(b"iso-8859-1") {
        return Some(28591);
    }
    Some(match Encoding::for_label(label)?.name() {
        "UTF-8" => 65001,
        "UTF-16LE" => 1200,
        "UTF-16BE" => 1201,
        "windows-874" => 874,
        "windows-1250" => 1250,
        "windows-1251" => 1251,
        "windows-1252" => 1252,
        "windows-1253" => 1253,
        "windows-1254" => 1254,
        "windows-1255" => 1255,
        "windows-1256" => 1256,
        "windows-1257" => 1257,
        "windows-1258" => 1258,
        "ISO-8859-2" => 28592,
        "ISO-8859-3" => 28593,
        "ISO-8859-4" => 28594,
        "ISO-8859-5" => 28595,
        "ISO-8859-6" => 28596,
        "ISO-8859-7" => 28597,
        "ISO-8859-8" => 28598,
        "ISO-8859-8-I" => 38598,
        "ISO-8859-13" => 28603,
        "ISO-8859-15" => 28605,
        "IBM866" => 866,
        "KOI8-R" => 20866,
        "KOI8-U" => 21866,
        "macintosh" => 10000,
        "GBK" => 936,
        "gb18030" => 54936,
        "Big5" => 950,
        "EUC-JP" => 51932,
        "ISO-2022-JP" => 50220,
        "Shift_JIS" => 932,
        "EUC-KR" => 949,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn code_pages_follow_the_charset() {
        assert_eq!(super::of(b"UTF8"), Some(65001));
        assert_eq!(super::of(b"iso-8859-1"), Some(28591));
        assert_eq!(super::of(b"no-such"), None);
    }
}
