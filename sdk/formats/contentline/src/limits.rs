/// What bounds a parse. One place for every bound, so that an operator's setting and a test can change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets in all.
    pub size: usize,
    /// Octets of one unfolded line; a photo or an attachment is one.
    pub line: usize,
    /// Lines in all.
    pub lines: usize,
    /// Parameters of one line, and values of one parameter.
    pub parameters: usize,
    /// Components within one another.
    pub depth: usize,
    /// Components in all.
    pub components: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            size: 16 * 1024 * 1024,
            line: 12 * 1024 * 1024,
            lines: 400_000,
            parameters: 256,
            depth: 8,
            components: 50_000,
        }
    }
}
