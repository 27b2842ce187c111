use crate::Version;
use crate::contentline::Line;
use crate::convert::media;

/// A photograph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// `image/jpeg`.
    pub media_type: String,
    /// Its octets in base64, as cards carry them.
    pub base64: String,
}

impl Photo {
    /// The photograph of a PHOTO of either version; one by reference is none.
    pub(super) fn of(line: &Line) -> Option<Photo> {
        let mut line = line.clone();
        if !line
            .value
            .get(..5)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
        {
            media::up(&mut line, "image");
        }
        let (media_type, base64) = line
            .value
            .get(5..)?
            .split_once(";base64,")
            .filter(|_| line.value.starts_with("data:") || line.value.starts_with("DATA:"))?;
        let base64: String = base64.split_whitespace().collect();
        Some(Photo {
            media_type: media_type
                .split(';')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase(),
            base64,
        })
    }

    /// The PHOTO of a version.
    pub(super) fn to_line(&self, version: Version) -> Line {
        let mut line = Line::new(
            "PHOTO",
            format!("data:{};base64,{}", self.media_type, self.base64),
        );
        if version == Version::V3 {
            media::down(&mut line, "image");
        }
        line
    }
}
