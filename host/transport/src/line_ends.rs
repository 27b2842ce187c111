//! Line ends as they leave: RFC 5321 section 2.3.8.
//!
//! A CR or LF that stands alone becomes a whole line end: left as it is, it would end a line for some receivers and none for others, and a
//! message could smuggle a second one past the first. A message of proper lines stays as it is.

/// Keeps what must be known of the octets before.
#[derive(Debug, Default)]
pub(crate) struct LineEnds {
    after_cr: bool,
    in_line: bool,
    /// A dot at the start of a line is doubled (RFC 5321 section 4.5.2).
    dots: bool,
}

impl LineEnds {
    /// For DATA.
    pub(crate) fn stuffing_dots() -> LineEnds {
        LineEnds {
            dots: true,
            ..LineEnds::default()
        }
    }

    /// The next octets, behind `out`.
    pub(crate) fn make_whole(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        out.reserve(octets.len() + octets.len() / 32);
        for octet in octets {
            let after_cr = std::mem::take(&mut self.after_cr);
            match octet {
                b'\r' => {
                    if after_cr {
                        self.end_line(out);
                    }
                    self.after_cr = true;
                }
                b'\n' => self.end_line(out),
                other => {
                    if after_cr {
                        self.end_line(out);
                    }
                    if self.dots && !self.in_line && *other == b'.' {
                        out.push(b'.');
                    }
                    self.in_line = true;
                    out.push(*other);
                }
            }
        }
    }

    /// Ends the last line.
    pub(crate) fn finish(mut self, out: &mut Vec<u8>) {
        if self.in_line || self.after_cr {
            self.end_line(out);
        }
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\r\n");
        self.in_line = false;
    }
}
